//go:build unix

package sqlite_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlite"
)

var update = flag.Bool("update", false, "write the digests of the schema again")

// TestSchemaDigests checks that no released script has changed and that no number was
// reused, since existing stores have applied them.
func TestSchemaDigests(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for version := 1; version <= sqlite.SchemaVersion(); version++ {
		digest, err := sqlite.SchemaDigest(version)
		must(t, err)
		if known := sqlite.KnownDigest(version); known != digest && !*update {
			t.Errorf("version %d: the scripts make %s, schema/digests.txt says %q; for a new script: go test ./internal/sqlite -run SchemaDigests -update", version, digest, known)
		}
		fmt.Fprintln(&all, digest)
	}
	if *update {
		must(t, os.WriteFile("schema/digests.txt", []byte(all.String()), 0o600))
	}
}

const derived = "-- Derived from the scripts beside it: what they create, as SQLite keeps it. After a new\n-- script: make golden.\n"

// TestGoldenSchema checks that a new store, which begins with schema/latest.sql, has the
// tables and the rows that a database without tables gets from all scripts.
func TestGoldenSchema(t *testing.T) {
	t.Parallel()
	want, err := sqlite.SchemaAfter(sqlite.SchemaVersion())
	must(t, err)
	want = derived + want
	if *update {
		must(t, os.WriteFile("schema/latest.sql", []byte(want), 0o600))
		return // this program was built with what stood there before
	}
	got, err := os.ReadFile("schema/latest.sql")
	must(t, err)
	if string(got) != want {
		t.Errorf("schema/latest.sql is not what the scripts create: make golden\n%s", cmp.Diff(want, string(got)))
	}

	made, migrated := bridgetest.NewEnv(t), bridgetest.NewEnv(t)
	store, err := sqlite.Open(t.Context(), made.Path, sqlite.Options{Key: made.Key, Create: true, Limits: bridge.DefaultLimits()})
	must(t, err)
	must(t, store.Close())
	must(t, sqlite.CreateVersion(migrated.Path, migrated.Key, sqlite.SchemaVersion()))
	if difference := cmp.Diff(contentOf(t, migrated.Path), contentOf(t, made.Path)); difference != "" {
		t.Errorf("after all scripts (-), in a new store (+):\n%s", difference)
	}
}

// TestDatabaseWithoutTables opens a database without tables several times at once. An
// older program left such a database if it was killed at the first start. It must become a
// store as it is made where there is no file.
func TestDatabaseWithoutTables(t *testing.T) {
	t.Parallel()
	limits := bridge.DefaultLimits()
	limits.Writes.PerMinute = 3
	made, emptied := bridgetest.NewEnv(t), bridgetest.NewEnv(t)
	query(t, emptied.Path, "CREATE TABLE gone (x)", "DROP TABLE gone")
	must(t, os.Chmod(emptied.Path, 0o600))
	var together sync.WaitGroup
	for _, e := range []*bridgetest.Env{made, emptied, emptied, emptied, emptied} {
		together.Go(func() {
			s, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Limits: limits})
			if err == nil {
				err = s.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if difference := cmp.Diff(contentOf(t, made.Path), contentOf(t, emptied.Path)); difference != "" {
		t.Errorf("in a new store (-), where there were no tables (+):\n%s", difference)
	}
	db, err := sql.Open("sqlite", emptied.Path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for _, row := range rowsOf(t, db, "limits", []string{"set_by"}) {
		if row != "set_by='made'" {
			t.Errorf("a limit with %s", row)
		}
	}
}

// contentOf returns the schema and the rows of a store that are the same in every new one.
func contentOf(t *testing.T, path string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	rows := map[string][]string{"the schema": rowsOf(t, db, "sqlite_schema", []string{"type", "name", "tbl_name", "sql"})}
	for table, columns := range columnsOf(t, db) {
		rows[table] = rowsOf(t, db, table, constant(table, columns))
	}
	for _, all := range rows {
		slices.Sort(all)
	}
	return rows
}

// constant returns the columns of a table that are the same in every new store.
func constant(table string, columns []string) (names []string) {
	own := map[string][]string{
		"store":      {"id", "key_check", "created_at"},
		"audit_head": {"seal"},
		"limits":     {"set_by", "set_at"},
	}
	for _, column := range columns {
		name, _, _ := strings.Cut(column, " ")
		if !slices.Contains(own[table], name) {
			names = append(names, name)
		}
	}
	return names
}

// TestCraftedSchema checks that a store with anything extra in its schema is refused
// before any of it can run.
func TestCraftedSchema(t *testing.T) {
	t.Parallel()
	racetest.Skip(t)
	tests := []struct{ name, statement, want string }{
		{"a trigger that copies messages", `CREATE TRIGGER copy AFTER INSERT ON messages BEGIN
			UPDATE messages SET message = NEW.message WHERE id = NEW.id - 1; END`, "trigger copy is not bridge's"},
		{"a trigger that swallows messages", "CREATE TRIGGER swallow BEFORE INSERT ON messages BEGIN SELECT RAISE(IGNORE); END", "trigger swallow"},
		{"a trigger that forgets limits", "CREATE TRIGGER forget AFTER INSERT ON audit_log BEGIN DELETE FROM rate_limits; END", "trigger forget"},
		{"a view", "CREATE VIEW extra AS SELECT 1", "view extra"},
		{"a table", "CREATE TABLE extra (x)", "table extra"},
		{"a missing index", "DROP INDEX messages_history", "index messages_history is missing"},
		{"a changed table", "ALTER TABLE conversations ADD COLUMN extra TEXT", "table conversations differs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newStore(t)
			query(t, e.Path, tt.statement)
			for _, create := range []bool{true, false} {
				if err := open(e, create); !errors.Is(err, bridge.ErrStoreDamaged) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want ErrStoreDamaged with %q", err, tt.want)
				}
			}
			if _, err := sqlite.Inspect(e.Path); !errors.Is(err, bridge.ErrStoreDamaged) {
				t.Errorf("Inspect: %v, want ErrStoreDamaged", err)
			}
		})
	}
	t.Run("a view that never ends, in a table's place", func(t *testing.T) {
		e := newStore(t)
		query(t, e.Path, "PRAGMA writable_schema = ON",
			`UPDATE sqlite_schema SET type = 'view', rootpage = 0, sql = 'CREATE VIEW store AS WITH RECURSIVE n(id, key_check) AS
			(SELECT 1, 2 UNION ALL SELECT id + 1, 2 FROM n) SELECT * FROM n WHERE id < 0' WHERE name = 'store'`)
		if err := open(e, false); !errors.Is(err, bridge.ErrStoreDamaged) {
			t.Errorf("got %v, want ErrStoreDamaged", err)
		}
	})
}

func TestVersionsThatNobodyWrites(t *testing.T) {
	t.Parallel()
	for _, version := range []int{-1, -2147483648, 0} {
		e := newStore(t)
		query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", version))
		if err := open(e, true); !errors.Is(err, bridge.ErrStoreDamaged) {
			t.Errorf("version %d: got %v, want ErrStoreDamaged", version, err)
		}
		if _, err := sqlite.Inspect(e.Path); !errors.Is(err, bridge.ErrStoreDamaged) {
			t.Errorf("version %d: Inspect: %v, want ErrStoreDamaged", version, err)
		}
	}
}

// TestMigratedMeanwhile checks that a running process neither reads nor writes the
// store after a newer program has migrated it.
func TestMigratedMeanwhile(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	p := bridgetest.NewPair(t, s)
	_, err := s.Conversations(t.Context())
	must(t, err)
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()+1))
	if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "late"}); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("send: got %v, want ErrStoreNewer", err)
	}
	if _, err := s.Conversations(t.Context()); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("read: got %v, want ErrStoreNewer", err)
	}
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()))
}

// TestDamagedFiles checks that opening and using a damaged file always returns, with or
// without an error.
func TestDamagedFiles(t *testing.T) {
	racetest.Skip(t)
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	p := bridgetest.NewPair(t, s)
	for range 50 {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: strings.Repeat("text ", 100)})
		must(t, err)
	}
	must(t, store.Close())
	whole, err := os.ReadFile(e.Path)
	must(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	for round := range rounds {
		damaged := append([]byte{}, whole...)
		for range 1 + random.IntN(20) {
			at := random.IntN(len(damaged))
			if round%2 == 0 {
				at = random.IntN(len(damaged)/4096)*4096 + random.IntN(120) // where pages have their internal structure
			}
			damaged[at] = byte(random.IntN(256))
		}
		d := bridgetest.NewEnv(t)
		d.Key = e.Key
		must(t, os.WriteFile(d.Path, damaged, 0o600))
		_, _ = sqlite.Inspect(d.Path)
		store, err := sqlite.Open(t.Context(), d.Path, sqlite.Options{Key: d.Key})
		if err != nil {
			continue
		}
		s := bridge.New(bridge.Config{Store: store, Key: d.Key})
		_, _ = s.Conversations(t.Context())
		_, _ = s.Messages(t.Context(), p.A.Conversation, 0, 100)
		_, _ = s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
		_, _ = s.Check(t.Context(), p.B, bridge.CheckRequest{Limit: 10}, nil)
		_ = store.Close()
	}
}

// TestConnectionSettings checks that connections overwrite what is removed, do not
// trust the schema, check cell sizes and enforce foreign keys.
func TestConnectionSettings(t *testing.T) {
	t.Parallel()
	e := newStore(t)
	d, err := sqlite.Connect(e.Path)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	for name, want := range map[string]int64{"secure_delete": 1, "trusted_schema": 0, "cell_size_check": 1, "foreign_keys": 1} {
		rows, err := d.(driver.QueryerContext).QueryContext(t.Context(), "PRAGMA "+name, nil)
		must(t, err)
		row := make([]driver.Value, 1)
		must(t, rows.Next(row))
		must(t, rows.Close())
		if row[0] != want {
			t.Errorf("%s is %v, want %d", name, row[0], want)
		}
	}
	for name, want := range map[string]int64{"trusted_schema": 0, "cell_size_check": 1} {
		if got, err := sqlite.Setting(e.Path, name); err != nil || got != want {
			t.Errorf("looking at a file, %s is %d, want %d, %v", name, got, want, err)
		}
	}
}
