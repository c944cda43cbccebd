package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// Salvaged counts what was salvaged of one table.
type Salvaged struct {
	Table string
	Rows  int64
	// Unreadable counts places where rows could not be read.
	Unreadable int
	// Dropped counts rows that were read but refer to something lost, such as messages
	// of a conversation that could not be read.
	Dropped int64
}

// Salvage copies whatever can still be read of the store at from into a new store at
// to. The folder of to must exist, and to must not. Salvage works on a copy of the
// damaged store, which it never changes. No process may have that store open.
func Salvage(ctx context.Context, from, to string, key auth.Key) (_ []Salvaged, err error) {
	defer contain(from, &err)
	if err := storefile.CheckFiles(to, true); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s already exists: name a new file", to)
	}
	if storefile.Running(from) {
		return nil, fmt.Errorf("%w: stop all bridge processes that use %s first", bridge.ErrStoreBusy, from)
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), ".bridge-repair-*")
	if err != nil {
		return nil, storefile.Unwritable(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	old, fresh := filepath.Join(dir, "old.db"), filepath.Join(dir, "new.db")
	for _, ending := range []string{"", "-wal"} {
		if err := copyFile(from+ending, old+ending); err != nil {
			return nil, storefile.Unwritable(err)
		}
	}
	tables, err := salvage(ctx, old, fresh, key)
	if err != nil {
		return nil, translate(from, err)
	}
	content, err := os.ReadFile(fresh)
	if err != nil {
		return nil, storefile.Unwritable(err)
	}
	return tables, storefile.Unwritable(privatefile.Write{New: true, Durable: true}.File(to, content))
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(from, "-wal") {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600) //nolint:gosec // G703: a name in a folder that was just made
}

// salvage fills a new store from a copy of the old one.
func salvage(ctx context.Context, old, fresh string, key auth.Key) (tables []Salvaged, err error) {
	image, err := newImage(Options{Key: key})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(fresh, image, 0o600); err != nil {
		return nil, storefile.Unwritable(err)
	}
	state, err := migrateCopy(old, key)
	if err != nil {
		return nil, err
	}
	err = withConn(old, "rw", append([]string{"foreign_keys(OFF)"}, safeSettings...), func(source *conn) error {
		return withConn(fresh, "rw", []string{"foreign_keys(OFF)", "synchronous(OFF)"}, func(target *conn) error {
			tables, err = refill(ctx, source, target)
			return errors.Join(err, setVersion(target, state.Mark(int64(SchemaVersion()))))
		})
	})
	return tables, err
}

// migrateCopy migrates a copy of an older version as far as it can be read, because
// rows are inserted into tables of the present schema. It returns how the copy's texts
// are stored.
func migrateCopy(path string, key auth.Key) (atrest.State, error) {
	var h header
	if err := withConn(path, "rw", safeSettings, h.readMarks); err != nil {
		return h.atRest, err
	}
	if err := h.usable(path); err != nil {
		return h.atRest, err
	}
	if h.fresh() {
		return h.atRest, fmt.Errorf("%w: %s", bridge.ErrStoreForeign, path)
	}
	if h.version == int64(SchemaVersion()) {
		return h.atRest, nil
	}
	return h.atRest, migrate(path, Options{Key: key})
}

// refill copies all rows in one transaction.
func refill(ctx context.Context, source, target *conn) (tables []Salvaged, err error) {
	err = transact(target, "BEGIN IMMEDIATE", func(target *conn) error {
		names, err := tableNames(target)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			saved, err := moveTable(source, target, name)
			if err != nil {
				return fmt.Errorf("save the table %s: %w", name, err)
			}
			tables = append(tables, saved)
		}
		return settleRows(target, tables)
	})
	return tables, err
}

func tableNames(c *conn) (names []string, err error) {
	var name string
	err = c.each("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid", nil, []any{&name}, func() error {
		names = append(names, name)
		return nil
	})
	return names, err
}

// onlyRow are the tables with a single row, which a new store already has.
var onlyRow = []string{"store", "audit_head", "audit_chain", "quota"}

// moveTable copies the rows of a table: first from the start as far as they can be
// read, then from the end. Rows with numbers in between are searched for one by one.
func moveTable(source, target *conn, name string) (Salvaged, error) {
	saved := Salvaged{Table: name}
	columns, err := columnNames(target, name)
	if err != nil {
		return saved, err
	}
	var kind string
	if err := source.get("SELECT type FROM sqlite_schema WHERE name = ?", []any{name}, &kind); err != nil || kind != "table" {
		saved.Unreadable++ // a view in place of the table could run anything
		return saved, nil  //nolint:nilerr // it is counted as unreadable
	}
	for _, single := range onlyRow {
		if single == name {
			return moveOnlyRow(source, target, name, columns)
		}
	}
	m := mover{source: source, target: target, table: name, columns: columns, saved: &saved}
	m.numbered = m.count("SELECT count(rowid) FROM " + name + " WHERE 0")
	first, err := m.move("ASC", math.MinInt64, math.MaxInt64)
	if err != nil || m.whole {
		return saved, err
	}
	saved.Unreadable++
	last, err := m.move("DESC", math.MinInt64, math.MaxInt64)
	if err != nil || !m.numbered {
		return saved, err
	}
	return saved, m.between(first+1, last-1)
}

// mover copies the rows of one table.
type mover struct {
	source, target *conn
	table          string
	columns        []string
	saved          *Salvaged
	numbered       bool
	whole          bool // the last call of move reached its end
}

// count reports whether a query that counts rows succeeds.
func (m *mover) count(query string) bool {
	var n int64
	return m.source.get(query, nil, &n) == nil
}

// move copies the rows whose numbers are between from and to, in the given order, until
// one cannot be read. It returns the number of the last row copied.
func (m *mover) move(order string, from, to int64) (last int64, err error) {
	number, where, args := "0", "", []any(nil)
	if m.numbered {
		number, where, args = "rowid", " WHERE rowid BETWEEN ? AND ? ORDER BY rowid "+order, []any{from, to}
	} else if order == "DESC" {
		where = " ORDER BY 1 DESC"
	}
	row := make([]any, len(m.columns))
	dest := make([]any, 0, len(row)+1)
	dest = append(dest, &last)
	for i := range row {
		dest = append(dest, &row[i])
	}
	insert := "INSERT OR IGNORE INTO " + m.table + " (" + strings.Join(m.columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(row)-1) + ")"
	var writing error
	reading := m.source.each("SELECT "+number+", "+strings.Join(m.columns, ", ")+" FROM "+m.table+where, args, dest, func() error {
		result, err := m.target.exec(insert, row...)
		if isConstraint(err) {
			m.saved.Dropped++ // it violates a constraint of the table
			return nil
		}
		if writing = err; err != nil {
			return errStop
		}
		n, _ := result.RowsAffected()
		m.saved.Rows += n
		return nil
	})
	m.whole = reading == nil && writing == nil
	return last, writing
}

// maxSearches bounds the search for single rows.
const maxSearches = 200_000

// between copies rows from a range whose ends are unreadable, by halving the range.
func (m *mover) between(from, to int64) error {
	searches := 0
	var search func(from, to int64) error
	search = func(from, to int64) error {
		if from > to || searches >= maxSearches {
			return nil
		}
		searches++
		if _, err := m.move("ASC", from, to); err != nil || m.whole || from == to {
			return err
		}
		middle := from + (to-from)/2
		return errors.Join(search(from, middle), search(middle+1, to))
	}
	return search(from, to)
}

// moveOnlyRow replaces the single row of a new store's table with the old one.
func moveOnlyRow(source, target *conn, name string, columns []string) (Salvaged, error) {
	saved := Salvaged{Table: name}
	row := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range row {
		dest[i] = &row[i]
	}
	list := strings.Join(columns, ", ")
	if err := source.get("SELECT "+list+" FROM "+name, nil, dest...); err != nil {
		saved.Unreadable++ // keep the row of the new store
		return saved, nil  //nolint:nilerr // it is counted as unreadable
	}
	saved.Rows = 1
	_, err := target.exec("INSERT OR REPLACE INTO "+name+" ("+list+") VALUES (?"+strings.Repeat(", ?", len(row)-1)+")", row...)
	return saved, err
}

func columnNames(c *conn, table string) (names []string, err error) {
	var name string
	err = c.each("SELECT name FROM pragma_table_info(?)", []any{table}, []any{&name}, func() error {
		names = append(names, name)
		return nil
	})
	return names, err
}

// lostSessions inserts rows for sessions that are referred to but have lost their own
// row. Without them, the conversation would have the wrong number of sessions, their
// letters would be given to new sessions, and their mail would be in nobody's inbox.
// Their nonces are random, so no token is valid for them until the operator issues a
// new one. They count as joined, so that nobody else gets their letters.
const lostSessions = `
	INSERT INTO session_status (conversation, session, nonce, role, seen_at)
	SELECT conversation, session, randomblob(32), '(lost)', 1 FROM (
		SELECT id AS conversation, 'a' AS session FROM conversations UNION SELECT id, 'b' FROM conversations
		UNION SELECT conversation, recipient FROM messages UNION SELECT conversation, sender FROM messages
		UNION SELECT conversation, recipient FROM copies
		UNION SELECT conversation, sender FROM flows UNION SELECT conversation, recipient FROM flows
		UNION SELECT conversation, session FROM file_claims
		UNION SELECT conversation, writer FROM files UNION SELECT conversation, session FROM steps
		UNION SELECT f.conversation, k.session FROM file_changes k JOIN files f ON f.id = k.file
		UNION SELECT conversation, session FROM yolo_modes UNION SELECT conversation, session FROM command_requests
		UNION SELECT substr(worker, 1, instr(worker, '/') - 1), substr(worker, instr(worker, '/') + 1) FROM tasks WHERE instr(worker, '/') > 0
		UNION SELECT substr(worker, 1, instr(worker, '/') - 1), substr(worker, instr(worker, '/') + 1) FROM task_events WHERE instr(worker, '/') > 0)
	WHERE session GLOB '[a-z]' AND conversation IN (SELECT id FROM conversations)
	ON CONFLICT (conversation, session) DO NOTHING`

// settleRows drops rows that refer to lost ones, and ends each inbox with the last
// message that it still has.
func settleRows(c *conn, tables []Salvaged) error {
	for _, child := range []string{"session_status", "messages", "copies", "flows", "sent", "yolo_modes", "yolo_grants", "command_requests", "file_claims", "files", "steps"} {
		if err := dropRows(c, tables, child, "conversation NOT IN (SELECT id FROM conversations)"); err != nil {
			return err
		}
	}
	if err := dropRows(c, tables, "copies", "message NOT IN (SELECT id FROM messages)"); err != nil {
		return err
	}
	if err := dropRows(c, tables, "task_events", "task NOT IN (SELECT id FROM tasks)"); err != nil {
		return err
	}
	if err := settleFiles(c, tables); err != nil {
		return err
	}
	if _, err := c.exec(lostSessions); err != nil {
		return err
	}
	for _, query := range []string{
		`UPDATE session_status SET last_seq = max(handed_seq, coalesce((
			SELECT max(seq) FROM messages m WHERE m.conversation = session_status.conversation AND m.recipient = session_status.session), 0), coalesce((
			SELECT max(seq) FROM copies k WHERE k.conversation = session_status.conversation AND k.recipient = session_status.session), 0))`,
		`UPDATE conversations SET sessions = (SELECT count(*) FROM session_status s WHERE s.conversation = conversations.id),
			copies = (SELECT count(*) FROM copies k WHERE k.conversation = conversations.id)`,
		"DELETE FROM sent WHERE message NOT IN (SELECT id FROM messages)",
		"INSERT OR IGNORE INTO sent (conversation, sender, message) " + allSent + " AND conversation IN (SELECT id FROM conversations WHERE sessions > 2)",
		countUnread,
	} {
		if _, err := c.exec(query); err != nil {
			return err
		}
	}
	return nil
}

// settleFiles drops files whose text is lost, and changes that do not lead to the last
// version without a gap.
func settleFiles(c *conn, tables []Salvaged) error {
	for _, lost := range []struct{ table, where string }{
		{"files", "id NOT IN (SELECT file FROM file_texts)"},
		{"file_texts", "file NOT IN (SELECT id FROM files)"},
		{"file_changes", "file NOT IN (SELECT id FROM files)"},
		{"file_changes", "version > (SELECT f.version FROM files f WHERE f.id = file_changes.file)"},
		{"file_changes", `version <= (SELECT f.version FROM files f WHERE f.id = file_changes.file) - (
			SELECT count(*) FROM file_changes k WHERE k.file = file_changes.file AND k.version >= file_changes.version)`},
	} {
		if err := dropRows(c, tables, lost.table, lost.where); err != nil {
			return err
		}
	}
	_, err := c.exec("UPDATE files SET history = (SELECT coalesce(sum(bytes), 0) FROM file_changes k WHERE k.file = files.id)")
	return err
}

// dropRows removes rows of a table, and counts them.
func dropRows(c *conn, tables []Salvaged, table, where string) error {
	result, err := c.exec("DELETE FROM " + table + " WHERE " + where)
	if err != nil {
		return err
	}
	dropped, err := result.RowsAffected()
	for i := range tables {
		if tables[i].Table == table {
			tables[i].Rows, tables[i].Dropped = tables[i].Rows-dropped, tables[i].Dropped+dropped
		}
	}
	return err
}
