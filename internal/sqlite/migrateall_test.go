package sqlite_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestMigrationKeepsEverything fills every table of every older schema, with a distinct
// value in each column, and checks that all values are in the store after the
// migration.
func TestMigrationKeepsEverything(t *testing.T) {
	t.Parallel()
	for version := 1; version < sqlite.SchemaVersion(); version++ {
		t.Run(fmt.Sprintf("from %d", version), func(t *testing.T) {
			t.Parallel()
			e := bridgetest.NewEnv(t)
			must(t, sqlite.CreateVersion(e.Path, e.Key, version))
			db, err := sql.Open("sqlite", e.Path)
			must(t, err)
			tables := columnsOf(t, db)
			for _, table := range slices.Sorted(maps.Keys(tables)) {
				fillTable(t, db, table, tables[table])
			}
			before := map[string][]string{}
			for table, columns := range tables {
				before[table] = rowsOf(t, db, table, kept(table, columns))
			}
			if version < 11 {
				before["session_status joined"] = rowsOf(t, db, "conversations", moved)
			}
			must(t, db.Close())
			must(t, e.Store(t).Close())

			db, err = sql.Open("sqlite", e.Path)
			must(t, err)
			defer func() { must(t, db.Close()) }()
			after := map[string][]string{"session_status joined": rowsOf(t, db, "session_status", moved)}
			for table, columns := range tables {
				after[table] = rowsOf(t, db, table, kept(table, columns))
			}
			for place, rows := range before {
				for _, row := range rows {
					if !slices.Contains(after[place], row) {
						t.Errorf("%s had %s, and has %q", place, row, after[place])
					}
				}
			}
		})
	}
}

// moved are the columns of conversations that version 11 moved to the row of session b.
var moved = []string{"join_hash", "join_expires_at", "joined_at"}

// ended are the columns of requests that version 20 changes when it ends them
// (TestDigestsOfOlderPrograms).
var ended = []string{"digest", "state"}

// kept returns the columns of a table whose values must be the same before and after.
func kept(table string, columns []string) (names []string) {
	for _, column := range columns {
		name, _, _ := strings.Cut(column, " ")
		if (table != "conversations" || !slices.Contains(moved, name)) && (table != "command_requests" || !slices.Contains(ended, name)) {
			names = append(names, name)
		}
	}
	return names
}

// columnsOf returns "name type" of each column of each table.
func columnsOf(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name || ' ' || c.type FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`)
	must(t, err)
	defer func() { must(t, rows.Close()) }()
	out := map[string][]string{}
	for rows.Next() {
		var table, column string
		must(t, rows.Scan(&table, &column))
		out[table] = append(out[table], column)
	}
	must(t, rows.Err())
	return out
}

// filled are the values that constraints of a schema require; every other column gets a
// distinct value.
var filled = map[string]string{
	"access_keys.role": "'operator'",
	"conversation":     "'conv_0123456789abcdef'", "conversations.id": "'conv_0123456789abcdef'",
	"session": "'b'", "sender": "'a'", "recipient": "'b'", "actor": "'a'", "writer": "'a'",
	"tasks.state": "'running'", "tasks.ended_at": "0", "command_requests.state": "'pending'",
	"read_seq": "1", "handed_seq": "2", "last_seq": "3",
	"files": `'["kept.go"]'`, "redacted": `'["PASSWORD"]'`, "shared_files": `'["kept.go"]'`, "details": `'{"kept":1}'`,
	"operator": "1", "shared": "1", "one": "1",
}

// fillTable inserts a row into a table that has none.
func fillTable(t *testing.T, db *sql.DB, table string, columns []string) {
	t.Helper()
	if len(rowsOf(t, db, table, []string{"1"})) > 0 {
		return
	}
	var names, values []string
	for i, column := range columns {
		name, kind, _ := strings.Cut(column, " ")
		value, ok := filled[table+"."+name]
		if !ok {
			value, ok = filled[name]
		}
		if !ok {
			value = map[string]string{
				"INTEGER": fmt.Sprint(9_000_000_000_000_000 + i), "REAL": fmt.Sprint(i) + ".5",
				"TEXT": "'" + table + " " + name + "'", "BLOB": fmt.Sprintf("x'%032x'", 1000+i),
			}[kind]
		}
		names, values = append(names, name), append(values, value)
	}
	_, err := db.ExecContext(t.Context(), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	if err != nil {
		t.Fatalf("%s: %v", table, err)
	}
}

// rowsOf returns the rows of a table as text, with the names of the columns.
func rowsOf(t *testing.T, db *sql.DB, table string, names []string) (out []string) {
	t.Helper()
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "'" + name + "=' || quote(" + name + ")"
	}
	rows, err := db.QueryContext(t.Context(), "SELECT "+strings.Join(quoted, " || ' ' || ")+" FROM "+table)
	must(t, err)
	defer func() { must(t, rows.Close()) }()
	for rows.Next() {
		var row string
		must(t, rows.Scan(&row))
		out = append(out, row)
	}
	must(t, rows.Err())
	return out
}
