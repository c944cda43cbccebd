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

// editorChild edits one file a given number of times: its own section, based on the
// version that it saw last, and every fourth time the line that all edit. It prints the
// accepted edits. If a fault is named, it is planted in the last edit.
func editorChild(args []string) error {
	service, store, err := openChild(args[0], nil)
	if err != nil {
		return err
	}
	planted := &faultyFiles{Store: store}
	s, c := files.New(service, planted), credentials(args[1:])
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
		if n == times-1 && len(args) > 6 {
			planted.fault = args[6]
		}
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

// editOnce makes an edit; as long as other processes were faster it reads the file
// again and retries.
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

// faultyFiles is a store with the named fault.
type faultyFiles struct {
	files.Store
	fault string
}

func (f *faultyFiles) UseFile(ctx context.Context, g bridge.Gate, u files.Use, rule files.Rule) (files.Result, error) {
	return f.Store.UseFile(ctx, g, u, func(s files.Scene) (files.Outcome, error) {
		o, err := rule(s)
		if err != nil || o.Change == nil {
			return o, err
		}
		switch f.fault {
		case "lost": // the edit is answered but not stored
			o.Change = nil
		case "reordered": // the edit is answered with the version before its own
			o.Result.File.Version--
		}
		return o, err
	})
}

// editTogether lets several processes edit one file. It returns the file's first text,
// the accepted edits in order of their versions, and the final file. If a fault is
// named, the first process has it.
func editTogether(t *testing.T, processes, times int, fault string) (first string, edits []accepted, final files.File) {
	t.Helper()
	e := bridgetest.NewEnv(t)
	service, store, err := openChild(e.Path, nil)
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	agents := bridgetest.NewRoom(t, service, processes)
	first = "all: 0\n\n"
	for i := range processes {
		first += section(i, 0) + "\n"
	}
	s := files.New(service, store)
	_, err = s.WriteFile(t.Context(), agents[0], files.WriteRequest{Name: contract, Text: first})
	must(t, err)
	all := make([]*child, processes)
	for i := range all {
		args := append(arguments(e, agents[i]), strconv.Itoa(i), strconv.Itoa(times))
		if i == 0 && fault != "" {
			args = append(args, fault)
		}
		all[i] = start(t, "editor", args...)
		if line := all[i].line(t); line != "ready" {
			t.Fatal(line)
		}
	}
	for _, c := range all {
		c.begin(t)
	}
	for _, c := range all {
		for _, line := range c.lines(t) {
			var a accepted
			must(t, json.Unmarshal([]byte(line), &a))
			edits = append(edits, a)
		}
	}
	slices.SortStableFunc(edits, func(a, b accepted) int { return int(a.Version - b.Version) })
	read, err := s.ReadFile(t.Context(), agents[0], files.ReadRequest{Name: contract})
	must(t, err)
	return first, edits, read.File
}

// replay checks that the final file is the first text with exactly the accepted edits
// applied, in the order of their versions.
func replay(text string, edits []accepted, final files.File) error {
	for i, a := range edits {
		if a.Version != int64(i)+2 || strings.Count(text, a.Old) != 1 {
			return fmt.Errorf("edit %d was told version %d, and its old text %q is %d times in what was there", i, a.Version, a.Old, strings.Count(text, a.Old))
		}
		text = strings.Replace(text, a.Old, a.New, 1)
	}
	if final.Version != int64(len(edits))+1 || final.Text != text {
		return fmt.Errorf("%d edits made version %d:\n%s\nwant:\n%s", len(edits), final.Version, final.Text, text)
	}
	return nil
}

// TestTwentyProcessesEditOneFile checks that the file holds exactly the edits reported
// to twenty processes, in the order of the reported versions.
func TestTwentyProcessesEditOneFile(t *testing.T) {
	t.Parallel()
	const processes = 20
	times := 100
	if testing.Short() {
		times = 20
	}
	first, edits, final := editTogether(t, processes, times, "")
	if err := replay(first, edits, final); err != nil || len(edits) != processes*times {
		t.Errorf("%d edits: %v", len(edits), err)
	}
}

// TestEditorsFindPlantedFaults checks that the same test fails if one process loses an
// edit or reports a wrong order.
func TestEditorsFindPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"lost", "reordered"} {
		first, edits, final := editTogether(t, 4, 8, fault)
		if err := replay(first, edits, final); err == nil {
			t.Errorf("an edit was %s, and the test did not notice", fault)
		}
	}
	first, edits, final := editTogether(t, 2, 4, "")
	must(t, replay(first, edits, final))
	var common []int // edits of the shared line, which show the order
	for i, a := range edits {
		if strings.HasPrefix(a.Old, "all: ") {
			common = append(common, i)
		}
	}
	i, j := common[0], common[1]
	edits[i], edits[j] = accepted{edits[i].Version, edits[j].Old, edits[j].New}, accepted{edits[j].Version, edits[i].Old, edits[i].New}
	if replay(first, edits, final) == nil {
		t.Error("two edits of one line passed in the other order")
	}
}

// TestSalvageFiles checks that a file whose text is left is salvaged together with what
// is left of its history.
func TestSalvageFiles(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	service, store, err := openChild(e.Path, nil)
	must(t, err)
	p := bridgetest.NewPair(t, service)
	s := files.New(service, store)
	_, err = service.Send(t.Context(), p.A, bridge.SendRequest{Text: "of a pair"})
	must(t, err)
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
	db, err = sql.Open("sqlite", to.Path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for what, count := range map[string]string{
		"changes of no file":        "SELECT count(*) FROM file_changes WHERE file NOT IN (SELECT id FROM files)",
		"changes from before a gap": "SELECT count(*) FROM file_changes WHERE version <= 3 AND file = (SELECT id FROM files WHERE path = 'gap')",
		"wrong sizes of histories":  "SELECT count(*) FROM files WHERE history <> (SELECT sum(bytes) FROM file_changes WHERE file = files.id)",
		"what only many need":       "SELECT count(*) FROM sent",
	} {
		var n int
		must(t, db.QueryRowContext(t.Context(), count).Scan(&n))
		if n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
}
