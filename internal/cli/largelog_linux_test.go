package cli_test

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // a reader other than bridge
)

// TestLargeLogIsNamed checks that doctor reports a log that cannot shrink, and the
// process that prevents it. Once that process has ended, the next reader shrinks the
// log.
func TestLargeLogIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it stores 20 MB")
	}
	i := install(t)
	seedStore(t, i)
	reader, err := sql.Open("sqlite", i.db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	reader.SetMaxOpenConns(1)
	if _, err := reader.Exec("BEGIN; SELECT count(*) FROM conversations"); err != nil {
		t.Fatal(err)
	}
	seed := exec.Command("seed", i.db)
	seed.Env = i.env
	seed.Stdin = strings.NewReader(fmt.Sprintf("{\"create\":\"y\"}\n{\"send\":\"y\",\"session\":\"a\",\"text\":%q,\"times\":400}\n", strings.Repeat("all is well ", 4000)))
	if out, err := seed.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	doctor := func() string {
		out, _ := i.command("doctor").CombinedOutput() // there may be warnings about clients
		return strings.Join(strings.Fields(string(out)), " ")
	}
	want := fmt.Sprintf("it cannot shrink while these read from it: process %d", os.Getpid())
	if said := doctor(); !strings.Contains(said, "the write-ahead log has grown to ") || !strings.Contains(said, want) {
		t.Errorf("want %q: %s", want, said)
	}
	if _, err := reader.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	i.run(t, "list")
	if said := doctor(); strings.Contains(said, "the write-ahead log has grown") {
		t.Errorf("after the reader has left: %s", said)
	}
	if info, err := os.Stat(i.db + "-wal"); err == nil && info.Size() > 8<<20 {
		t.Errorf("the log has %d bytes", info.Size())
	}
}
