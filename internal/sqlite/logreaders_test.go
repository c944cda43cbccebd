//go:build unix

package sqlite_test

import (
	"database/sql"
	"fmt"
	"testing"

	"example.org/bridge/internal/sqlite"
)

// readingChild begins a transaction that reads, and leaves it open.
func readingChild(args []string) error {
	db, err := sql.Open("sqlite", args[0])
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN; SELECT count(*) FROM conversations"); err != nil {
		return err
	}
	fmt.Println("reading")
	awaitBegin()
	return nil
}

// TestWhoReadsFromTheLog checks that an inspection names the processes whose reads keep
// the log from shrinking.
func TestWhoReadsFromTheLog(t *testing.T) {
	t.Parallel()
	e := newStore(t)
	reader := start(t, "reading", e.Path)
	reader.line(t)
	found, err := sqlite.Inspect(e.Path)
	must(t, err)
	if len(found.LogReaders) != 1 || found.LogReaders[0].PID != reader.Process.Pid {
		t.Errorf("got %+v, want process %d", found.LogReaders, reader.Process.Pid)
	}
	reader.begin(t)
}
