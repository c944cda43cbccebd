//go:build unix

package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sqlite"
)

var contract = files.Name{Path: "contract.md"}

// accepted is an edit that was answered with a version.
type accepted struct {
	Version  int64
	Old, New string
}

// editorChild edits one file so many times: its own section, from the version that it
// saw last, and every fourth time the line that all edit. It prints what was accepted.
func editorChild(args []string) error {
	service, store, err := openChild(args[0], nil)
	if err != nil {
		return err
	}
	s, c := files.New(service, store), credentials(args[1:])
	own, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	times, err := strconv.Atoi(args[5])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	awaitBegin()
	version := int64(1)
	out := json.NewEncoder(os.Stdout)
	for n := range times {
		a, err := editOnce(s, c, own, n, version)
		if err != nil {
			return err
		}
		version = a.Version
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return store.Close()
}

// editOnce makes an edit, and reads again as long as others were quicker.
func editOnce(s *files.Service, c bridge.Credentials, own, n int, version int64) (accepted, error) {
	ctx := context.Background()
	for {
		a := accepted{Old: section(own, n-n/4), New: section(own, n-n/4+1)}
		if n%4 == 3 {
			read, err := s.ReadFile(ctx, c, files.ReadRequest{Name: contract})
			if err != nil {
				return a, err
			}
			version = read.File.Version
			a.Old = read.File.Text[:strings.IndexByte(read.File.Text, '\n')]
			a.New = fmt.Sprintf("all: %d by %d", version, own)
		}
		got, err := s.EditFile(ctx, c, files.EditRequest{Name: contract, Old: a.Old, New: a.New, Version: version})
		var conflict *files.ConflictError
		if errors.As(err, &conflict) {
			version = conflict.Version
			continue
		}
		a.Version = got.File.Version
		if err == nil && got.Unchanged {
			err = errors.New("an edit changed nothing")
		}
		return a, err
	}
}

func section(own, n int) string { return fmt.Sprintf("section %d: %d.\n", own, n) }

// TestTwentyProcessesEditOneFile: what twenty processes were told is in the file, in the
// order of the versions, and nothing else is.
func TestTwentyProcessesEditOneFile(t *testing.T) {
	const processes = 20
	times := 100
	if testing.Short() {
		times = 20
	}
	e := bridgetest.NewEnv(t)
	service, store, err := openChild(e.Path, nil)
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	agents := bridgetest.NewRoom(t, service, processes)
	text := "all: 0\n\n"
	for i := range processes {
		text += section(i, 0) + "\n"
	}
	s := files.New(service, store)
	_, err = s.WriteFile(t.Context(), agents[0], files.WriteRequest{Name: contract, Text: text})
	must(t, err)
	all := make([]*child, processes)
	for i := range all {
		all[i] = start(t, "editor", append(arguments(e, agents[i]), strconv.Itoa(i), strconv.Itoa(times))...)
		if line := all[i].line(t); line != "ready" {
			t.Fatal(line)
		}
	}
	for _, c := range all {
		c.begin(t)
	}
	var edits []accepted
	for _, c := range all {
		for _, line := range c.lines(t) {
			var a accepted
			must(t, json.Unmarshal([]byte(line), &a))
			edits = append(edits, a)
		}
	}
	slices.SortFunc(edits, func(a, b accepted) int { return int(a.Version - b.Version) })
	for i, a := range edits {
		if a.Version != int64(i)+2 || strings.Count(text, a.Old) != 1 {
			t.Fatalf("edit %d was told version %d, and its old text %q is %d times in what was there", i, a.Version, a.Old, strings.Count(text, a.Old))
		}
		text = strings.Replace(text, a.Old, a.New, 1)
	}
	read, err := s.ReadFile(t.Context(), agents[0], files.ReadRequest{Name: contract})
	must(t, err)
	if len(edits) != processes*times || read.File.Version != int64(len(edits))+1 || read.File.Text != text {
		t.Errorf("%d edits made version %d:\n%s\nwant:\n%s", len(edits), read.File.Version, read.File.Text, text)
	}
}

// TestSalvageFiles: a file whose text is there is saved with what is left of its past.
func TestSalvageFiles(t *testing.T) {
	e := bridgetest.NewEnv(t)
	service, store, err := openChild(e.Path, nil)
	must(t, err)
	p := bridgetest.NewPair(t, service)
	s := files.New(service, store)
	for _, path := range []string{"whole", "gap", "lost"} {
		for version := range int64(5) {
			_, err := s.WriteFile(t.Context(), p.A, files.WriteRequest{Name: files.Name{Path: path}, Text: fmt.Sprint(path, version+1), Version: version})
			must(t, err)
		}
	}
	must(t, store.Close())
	db, err := sql.Open("sqlite", e.Path)
	must(t, err)
	for _, statement := range []string{
		"DELETE FROM file_changes WHERE version = 3 AND file = (SELECT id FROM files WHERE path = 'gap')",
		"DELETE FROM file_texts WHERE file = (SELECT id FROM files WHERE path = 'lost')",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		must(t, err)
	}
	must(t, db.Close())
	to := bridgetest.NewEnv(t)
	_, err = sqlite.Salvage(t.Context(), e.Path, to.Path, e.Key)
	must(t, err)
	to.Key = e.Key
	saved := to.Served(t)
	for name, oldest := range map[string]int64{"whole": 1, "gap": 3} {
		for version := int64(1); version <= 5; version++ {
			r, err := saved.ReadFile(t.Context(), p.B, files.ReadRequest{Name: files.Name{Path: name}, Version: version})
			if kept := err == nil && r.File.Text == fmt.Sprint(name, version); kept != (version >= oldest) {
				t.Errorf("%s, version %d: %q, %v", name, version, r.File.Text, err)
			}
		}
		_, err := saved.EditFile(t.Context(), p.B, files.EditRequest{Name: files.Name{Path: name}, Old: "5", New: "6"})
		must(t, err)
	}
	if _, err := saved.ReadFile(t.Context(), p.B, files.ReadRequest{Name: files.Name{Path: "lost"}}); !errors.Is(err, files.ErrNoFile) {
		t.Errorf("a file without its text: %v", err)
	}
}
