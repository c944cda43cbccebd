package storecopy

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
)

// rows reads the rows of a query; exec runs a statement. Both kinds of stores provide
// them (Snapshot, Fill).
type (
	rows = func(query string, columns int, visit func(row []any) error) error
	exec = func(query string, args ...any) error
)

// dialect describes the tables of one kind of store.
type dialect struct {
	kind string // name for people and for the log
	// read holds, by table, queries that differ from the default.
	read map[string]string
	// write holds, by table, the statements for a row that differ from the default
	// INSERT.
	write map[string][]string
	// parameter returns how a statement refers to its n-th argument.
	parameter func(n int) string
	// flagRead and flagWrite convert a Boolean column to and from 0 or 1.
	flagRead, flagWrite string
	// before and after are further statements run before and after the rows.
	before, after []string
	// made completes a conversation after its row has been written.
	made func(run exec, id string) error
	// entry and head write the audit log.
	entry func(exec, audit.Entry) error
	head  string
	// base is the statement that stores where the log begins: a number, the HMAC of
	// that entry, and the seal.
	base string
	// version reads the version number of a store, which includes whether its texts are
	// sealed. setVersion sets it.
	version    string
	setVersion func(run exec, version int64) error
	// entries reads the log with its HMACs, in order of number.
	entries string
}

// atRest reads how the texts of a store are stored.
func (d *dialect) atRest(read rows) (schema int64, state atrest.State, err error) {
	err = read(d.version, 1, func(row []any) error {
		version, ok := row[0].(int64)
		if !ok {
			return fmt.Errorf("%w: the version of the store is a %T", ErrDiffers, row[0])
		}
		schema, state = atrest.Split(version)
		return nil
	})
	return schema, state, err
}

// selects returns the query for the rows of a table.
func (d *dialect) selects(t table) string {
	if query := d.read[t.name]; query != "" {
		return query
	}
	list := make([]string, len(t.columns))
	for i, column := range t.columns {
		name, flag := strings.CutSuffix(column, "?")
		if list[i] = name; flag {
			list[i] = fmt.Sprintf(d.flagRead, name)
		}
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + t.name
}

// inserts returns the statements for one row of a table; each gets all its values.
func (d *dialect) inserts(t table) []string {
	if statements := d.write[t.name]; statements != nil {
		return statements
	}
	names, values := make([]string, len(t.columns)), make([]string, len(t.columns))
	for i, column := range t.columns {
		name, flag := strings.CutSuffix(column, "?")
		names[i], values[i] = name, d.parameter(i+1)
		if flag {
			values[i] = fmt.Sprintf(d.flagWrite, values[i])
		}
	}
	if t.name == "store" || t.name == "quota" { // tables with a single row
		names, values = append(names, "one"), append(values, fmt.Sprintf(d.flagWrite, "1"))
	}
	return []string{"INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"}
}
