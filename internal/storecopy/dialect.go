package storecopy

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
)

// rows reads the rows that a query gives; exec carries out a statement. Both kinds of
// stores give them (Snapshot, Fill).
type (
	rows = func(query string, columns int, visit func(row []any) error) error
	exec = func(query string, args ...any) error
)

// dialect is how one kind of store keeps the tables.
type dialect struct {
	kind string // for people and the log
	// read has the queries that are not the ordinary one.
	read map[string]string
	// write has the statements for a row that are not the ordinary INSERT.
	write map[string][]string
	// parameter is how a statement names its n-th argument.
	parameter func(n int) string
	// flag is how a truth value is read as 0 or 1, and written.
	flagRead, flagWrite string
	// before and after are what else a copy needs.
	before, after []string
	// made completes a conversation whose row is written.
	made func(run exec, id string) error
	// entry and head write the audit log.
	entry func(exec, audit.Entry) error
	head  string
	// base writes where the log begins: behind a number, with its HMAC and the seal.
	base string
	// version reads the version number of a store, which says whether its texts are
	// sealed too, and setVersion sets that.
	version    string
	setVersion func(run exec, version int64) error
	// entries reads the log with its HMACs, in order of number.
	entries string
}

// atRest reads how the texts of a store are kept.
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

// selects is the query for the rows of a table.
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

// inserts are the statements for one row of a table, each with all its values.
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
	if t.name == "store" || t.name == "quota" { // of which there is one row
		names, values = append(names, "one"), append(values, fmt.Sprintf(d.flagWrite, "1"))
	}
	return []string{"INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"}
}
