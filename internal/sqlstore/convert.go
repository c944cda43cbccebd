package sqlstore

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// Convertible is a table with texts that are sealed in an encrypted store.
type Convertible struct {
	Name string
	// key are the columns of a unique key, by which rows are ordered for conversion. of
	// are the further columns that places of texts need. A place function gets the
	// values of both, in this order.
	key, of []string
	texts   []sealedText
}

// sealedText is a column that holds sealed texts.
type sealedText struct {
	name  string
	fixed bool // written with atrest.Cipher.Fixed
	list  bool // a list of names, which is stored in clear if it is empty
	place func(row []any) atrest.Place
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}

func word(v any) string {
	s, _ := v.(string)
	return s
}

// each applies a place function to several columns.
func each(place func(column string, row []any) atrest.Place, names ...string) (all []sealedText) {
	for _, name := range names {
		all = append(all, sealedText{name: name, place: func(row []any) atrest.Place { return place(name, row) }})
	}
	return all
}

func fixed(name string, place func(row []any) atrest.Place) sealedText {
	return sealedText{name: name, fixed: true, place: place}
}

// Convertibles returns all such tables. auditKey are the key columns of audit_log,
// which differ between stores.
func Convertibles(auditKey ...string) []Convertible {
	return slices.Concat(messageTables(), taskTables(), fileTables(), workTables(), commandTables(), []Convertible{
		{"audit_log", auditKey, []string{"at", "conversation", "session", "action", "outcome"}, each(func(_ string, row []any) atrest.Place {
			of := row[len(auditKey):]
			return EntryPlace(FromMicros(number(of[0])), word(of[1]), word(of[2]), word(of[3]), word(of[4]))
		}, "details")},
	})
}

// messageTables returns the tables of messages and session statuses.
func messageTables() []Convertible {
	return []Convertible{
		{
			"messages",
			[]string{"id"},
			[]string{"conversation"},
			[]sealedText{
				{"message", false, false, func(row []any) atrest.Place { return MessagePlace("message", word(row[1]), number(row[0])) }},
				{"files", false, true, func(row []any) atrest.Place { return MessagePlace("files", word(row[1]), number(row[0])) }},
			},
		},
		{"session_status", []string{"conversation", "session"}, nil, []sealedText{
			{"shared_files", true, true, func(row []any) atrest.Place { return SharedPlace(word(row[0]), word(row[1])) }},
		}},
	}
}

// taskTables returns the tables of tasks.
func taskTables() []Convertible {
	return []Convertible{
		{
			"tasks",
			[]string{"id"},
			[]string{"team_id"},
			each(func(column string, row []any) atrest.Place { return taskPlace(column, word(row[1]), number(row[0])) }, "title", "body", "needs", "note"),
		},
		{"task_events", []string{"id"}, []string{"task", "at", "actor", "worker", "state"}, each(func(_ string, row []any) atrest.Place {
			return eventPlace(number(row[1]), FromMicros(number(row[2])), word(row[3]), word(row[4]), word(row[5]))
		}, "note")},
	}
}

// fileTables returns the tables of shared files.
func fileTables() []Convertible {
	return []Convertible{
		{"files", []string{"id"}, []string{"conversation", "task"}, []sealedText{
			fixed("path", func(row []any) atrest.Place { return pathPlace(word(row[1]), number(row[2])) }),
		}},
		{
			"file_texts",
			[]string{"file"},
			[]string{"(SELECT f.conversation FROM files f WHERE f.id = file_texts.file)", "(SELECT f.version FROM files f WHERE f.id = file_texts.file)"},
			each(func(_ string, row []any) atrest.Place {
				return filePlace(word(row[1]), number(row[0]), number(row[2]))
			}, "text"),
		},
		{
			"file_changes",
			[]string{"file", "version"},
			[]string{"(SELECT f.conversation FROM files f WHERE f.id = file_changes.file)"},
			each(func(column string, row []any) atrest.Place {
				return changePlace(column, word(row[2]), number(row[0]), number(row[1]))
			}, "removed", "inserted"),
		},
	}
}

// workTables returns the tables of steps and claims.
func workTables() []Convertible {
	return []Convertible{
		{
			"steps",
			[]string{"conversation", "number"},
			nil,
			each(func(_ string, row []any) atrest.Place { return stepPlace(word(row[0]), number(row[1])) }, "text"),
		},
		{"file_claims", []string{"id"}, []string{"conversation", "session", "taken_at", "CAST(CASE WHEN shared THEN 1 ELSE 0 END AS bigint)", "task"}, each(func(column string, row []any) atrest.Place {
			return claimPlace(column, claims.Claim{
				Conversation: word(row[1]), Session: bridge.SessionID(word(row[2])), TakenAt: FromMicros(number(row[3])),
				Shared: number(row[4]) != 0, Task: number(row[5]),
			})
		}, "path", "reason")},
	}
}

// commandTables returns the tables of command requests.
func commandTables() []Convertible {
	return []Convertible{
		{"command_requests", []string{"id"}, []string{"conversation", "session", "nonce"}, append(
			each(func(_ string, row []any) atrest.Place {
				nonce, _ := row[3].([]byte)
				return planPlace(word(row[1]), word(row[2]), nonce)
			}, "plan"),
			fixed("command", func(row []any) atrest.Place { return commandPlace(word(row[1]), word(row[2])) }))},
	}
}

// Columns returns the names of the columns that hold texts.
func (t Convertible) Columns() (names []string) {
	for _, text := range t.texts {
		names = append(names, text.name)
	}
	return names
}

// Limits of what one transaction converts.
const (
	convertRows  = 500
	convertBytes = 4 << 20
)

// Convert converts the next rows of a table, starting after the key after, or at the
// first row if that is nil. It returns the key of the last row converted, or nil if
// there are no more rows. lock is appended to the query; it may be empty. A text that
// does not open is left unchanged and counted.
func (t Convertible) Convert(c Conn, after []any, lock string) (last []any, done atrest.Converted, err error) {
	cipher, err := c.Cipher()
	if err != nil {
		return nil, done, err
	}
	rows, last, err := t.page(c, after, lock)
	if err != nil {
		return nil, done, err
	}
	for _, row := range rows {
		fresh, different, damaged := t.convert(cipher, row)
		done.Damaged += damaged
		if !different {
			continue
		}
		done.Rows++
		if err := c.Later(t.update(), append(fresh, row[:len(t.key)]...)...); err != nil {
			return nil, done, err
		}
	}
	return last, done, nil
}

// page reads the next rows. Each row has its key, the further columns that places need,
// and its texts.
func (t Convertible) page(c Conn, after []any, lock string) (rows [][]any, last []any, err error) {
	columns := append(append([]string(nil), t.key...), t.of...)
	for _, text := range t.texts {
		columns = append(columns, text.name)
	}
	where := ""
	if after != nil {
		where = " WHERE " + tuple(t.key, func(_ int, name string) string { return name }) + " > " +
			tuple(t.key, func(i int, _ string) string { return fmt.Sprintf("?%d", i+1) })
	}
	row, dest := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		dest[i] = &row[i]
	}
	size := 0
	query := fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT %d%s", strings.Join(columns, ", "), t.Name, where, strings.Join(t.key, ", "), convertRows, lock)
	err = c.Each(query, after, dest, func() error {
		rows = append(rows, append([]any(nil), row...))
		for _, v := range row {
			size += len(word(v))
		}
		if size >= convertBytes {
			return ErrStop
		}
		return nil
	})
	if len(rows) > 0 {
		last = rows[len(rows)-1][:len(t.key)]
	}
	return rows, last, err
}

func tuple(of []string, each func(i int, name string) string) string {
	parts := make([]string, len(of))
	for i, name := range of {
		parts[i] = each(i, name)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (t Convertible) update() string {
	var set, where []string
	for i, text := range t.texts {
		set = append(set, fmt.Sprintf("%s = ?%d", text.name, i+1))
	}
	for i, name := range t.key {
		where = append(where, fmt.Sprintf("%s = ?%d", name, len(t.texts)+i+1))
	}
	return "UPDATE " + t.Name + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(where, " AND ")
}

// convert returns the texts of a row in their new stored form. damaged counts those
// that do not open.
func (t Convertible) convert(cipher atrest.Cipher, row []any) (fresh []any, different bool, damaged int64) {
	stored := row[len(t.key)+len(t.of):]
	for i, text := range t.texts {
		old, isText := stored[i].(string)
		fresh = append(fresh, stored[i])
		if !isText || old == "" || text.list && isEmptyList(old) {
			continue
		}
		place := text.place(row)
		plain, err := cipher.Box.Open(place, old)
		if err != nil {
			damaged++
			continue
		}
		if atrest.IsSealed(old) == cipher.State.Seals() {
			continue
		}
		different = true
		if text.fixed {
			fresh[i] = cipher.Fixed(place, plain)
		} else {
			fresh[i] = cipher.Text(place, plain)
		}
	}
	return fresh, different, damaged
}

// Unopened counts the texts that do not open, by table and column ("messages.message").
// Columns without such texts are left out. It reads all texts of the store, a page in
// each call of read, which must run its argument in a transaction. auditKey is as for
// Convertibles.
func Unopened(read func(func(Conn) error) error, auditKey ...string) (map[string]int64, error) {
	found := map[string]int64{}
	for _, t := range Convertibles(auditKey...) {
		for after, more := []any(nil), true; more; {
			var last []any
			var names []string
			err := read(func(c Conn) (err error) {
				last, names, err = t.unopened(c, after)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("read the table %s: %w", t.Name, err)
			}
			for _, name := range names {
				found[t.Name+"."+name]++
			}
			after, more = last, last != nil
		}
	}
	return found, nil
}

// unopened returns the columns of the texts on the next page that do not open, once per
// text.
func (t Convertible) unopened(c Conn, after []any) (last []any, names []string, err error) {
	rows, last, err := t.page(c, after, "")
	if err != nil {
		return nil, nil, err
	}
	opener := c.Opener()
	for _, row := range rows {
		for i, text := range t.texts {
			stored := word(row[len(t.key)+len(t.of)+i])
			if text.list && isEmptyList(stored) {
				continue
			}
			if _, err := opener.Open(text.place(row), stored); err != nil {
				names = append(names, text.name)
			}
		}
	}
	return last, names, nil
}
