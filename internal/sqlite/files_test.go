//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// open opens the store of e and closes it again.
func open(e *bridgetest.Env, create bool) error {
	s, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{Key: e.Key, Create: create})
	if err != nil {
		return err
	}
	return s.Close()
}

// newStore returns an environment whose store exists and is closed.
func newStore(t *testing.T) *bridgetest.Env {
	t.Helper()
	e := bridgetest.NewEnv(t)
	if err := open(e, true); err != nil {
		t.Fatal(err)
	}
	return e
}

// query runs statements directly on the database file.
func query(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// folder returns the names and contents of the files in dir.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = string(content)
	}
	return all
}

func TestOpenRefusesWidePermissions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file string // beside the database; "." is the folder
		mode os.FileMode
		fix  string
	}{
		"folder others may write": {".", 0o777, "chmod 700"},
		"folder group may write":  {".", 0o770, "chmod 700"},
		"database readable":       {"bridge.db", 0o644, "chmod 600"},
		"database group writable": {"bridge.db", 0o660, "chmod 600"},
		"log readable":            {"bridge.db-wal", 0o640, "chmod 600"},
		"index readable":          {"bridge.db-shm", 0o604, "chmod 600"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := newStore(t)
			other := e.Store(t) // keeps -wal and -shm in place
			_ = other
			path := filepath.Join(filepath.Dir(e.Path), tt.file)
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			err := open(e, true)
			if !errors.Is(err, bridge.ErrStorePermissions) {
				t.Fatalf("got %v, want ErrStorePermissions", err)
			}
			if want := fmt.Sprintf("%s '%s'", tt.fix, path); !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say how to fix it with %q: %v", want, err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != tt.mode {
				t.Errorf("the mode was changed to %v (%v)", info.Mode(), err)
			}
			private := os.FileMode(0o600)
			if tt.file == "." {
				private = 0o700
			}
			if err := os.Chmod(path, private); err != nil {
				t.Fatal(err)
			}
			if err := open(e, true); err != nil {
				t.Errorf("after the command: %v", err)
			}
		})
	}
}

// TestStoreThatWasReadOnlyForAWhile checks that a store that was read-only for a while
// becomes writable again. SQLite gives a log the mode of its database, so inspecting a
// read-only store leaves a read-only log behind.
func TestStoreThatWasReadOnlyForAWhile(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	e.Store(t) // keeps the log in place
	for _, file := range []string{e.Path + "-wal", e.Path + "-shm"} {
		if err := os.Chmod(file, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	s := e.Service(t)
	bridgetest.NewPair(t, s) // writes
	for _, file := range []string{e.Path + "-wal", e.Path + "-shm"} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", filepath.Base(file), info.Mode(), err)
		}
	}
}

func TestCheckPrivateKeyFile(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	key := filepath.Join(filepath.Dir(e.Path), "bridge.key")
	if err := storefile.CheckPrivate(key); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := storefile.CheckPrivate(key); !errors.Is(err, bridge.ErrStorePermissions) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
}

func TestCheckPrivateRefusesAnotherOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	e := newStore(t)
	if err := os.Chown(e.Path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if err := open(e, true); !errors.Is(err, bridge.ErrStorePermissions) || !strings.Contains(err.Error(), "12345") {
		t.Errorf("got %v", err)
	}
}

// Not parallel, because the umask belongs to the whole process.
func TestFilesArePrivateWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o777} {
		t.Run(fmt.Sprintf("%04o", umask), func(t *testing.T) {
			dir := t.TempDir()
			old := unix.Umask(umask)
			e, modes := madeUnder(t, dir)
			unix.Umask(old)
			want := map[string]string{
				".":                 "drwx------",
				"bridge.key":        "-rw-------",
				"bridge.db":         "-rw-------",
				"bridge.db-wal":     "-rw-------",
				"bridge.db-shm":     "-rw-------",
				"bridge.db-queue":   "-rw-------",
				"bridge.db-reserve": "-rw-------",
				"bridge.db-turn":    "-rw-------",
			}
			if umask == 0o777 { // files that are only locked are safe whatever their mode
				want["bridge.db-queue"], want["bridge.db-turn"] = modes["bridge.db-queue"], modes["bridge.db-turn"]
			}
			if diff := cmp.Diff(want, modes); diff != "" {
				t.Errorf("modes (-want +got):\n%s", diff)
			}
			if err := open(e, true); err != nil {
				t.Error(err)
			}
		})
	}
}

// madeUnder makes a store with a conversation in dir and returns the modes of the
// folder and of all files while the store is open.
func madeUnder(t *testing.T, dir string) (*bridgetest.Env, map[string]string) {
	t.Helper()
	e := &bridgetest.Env{Path: filepath.Join(dir, "new", "bridge.db"), Clock: bridgetest.NewClock()}
	if err := storefile.Prepare(e.Path); err != nil {
		t.Fatal(err)
	}
	var err error
	if e.Key, err = keyfile.LoadOrCreate(filepath.Join(dir, "new", "bridge.key")); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{Key: e.Key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	bridgetest.NewPair(t, bridge.New(bridge.Config{Store: s, Key: e.Key}))
	modes := map[string]string{}
	err = fs.WalkDir(os.DirFS(filepath.Dir(e.Path)), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			modes[path] = info.Mode().String()
		}
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return e, modes
}

func TestOpenLeavesForeignFilesAlone(t *testing.T) {
	t.Parallel()
	random := strings.Repeat("\x8f\x03\xf1 not a database", 400)
	tests := map[string]func(t *testing.T, path string){
		"random bytes": func(t *testing.T, path string) { write(t, path, random) },
		"text":         func(t *testing.T, path string) { write(t, path, "Dear diary,\n") },
		"one byte":     func(t *testing.T, path string) { write(t, path, "x") },
		"rollback mode": func(t *testing.T, path string) {
			query(t, path, "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')")
		},
		"WAL mode": func(t *testing.T, path string) {
			query(t, path, "PRAGMA journal_mode = WAL", "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')")
		},
		"another application's id": func(t *testing.T, path string) {
			query(t, path, "PRAGMA journal_mode = WAL", "PRAGMA application_id = 1")
		},
		"another application's version": func(t *testing.T, path string) {
			query(t, path, "PRAGMA user_version = 1")
		},
		"the Python bridge's store": func(t *testing.T, path string) {
			query(t, path, "CREATE TABLE conversations (id TEXT PRIMARY KEY, session_a_role TEXT)", "CREATE TABLE messages (id INTEGER PRIMARY KEY)")
		},
		"a database with a crashed writer's journal": func(t *testing.T, path string) {
			query(t, path, "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')")
			write(t, path+"-journal", "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"+strings.Repeat("\x00", 600))
		},
	}
	for name, put := range tests {
		for _, create := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, create %v", name, create), func(t *testing.T) {
				e := bridgetest.NewEnv(t)
				put(t, e.Path)
				if err := os.Chmod(e.Path, 0o600); err != nil {
					t.Fatal(err)
				}
				before := folder(t, filepath.Dir(e.Path))
				if err := open(e, create); !errors.Is(err, bridge.ErrStoreForeign) {
					t.Errorf("got %v, want ErrStoreForeign", err)
				}
				if diff := cmp.Diff(before, folder(t, filepath.Dir(e.Path))); diff != "" {
					t.Errorf("the folder changed (-before +after):\n%.2000s", diff)
				}
			})
		}
	}
}

// TestOpenLeavesAJournalAlone puts beside a store the journal that a program left which was
// killed while it wrote another database. SQLite would move the journal's pages into the
// store at the first read of a connection that may write.
func TestOpenLeavesAJournalAlone(t *testing.T) {
	t.Parallel()
	for _, create := range []bool{true, false} {
		e := newStore(t)
		write(t, e.Path+"-journal", emptyingJournal())
		before := folder(t, filepath.Dir(e.Path))
		if err := open(e, create); !errors.Is(err, bridge.ErrStoreDamaged) || !strings.Contains(err.Error(), "-journal") {
			t.Errorf("got %v, want ErrStoreDamaged that names the journal", err)
		}
		if diff := cmp.Diff(before, folder(t, filepath.Dir(e.Path))); diff != "" {
			t.Errorf("the folder changed (-before +after):\n%.2000s", diff)
		}
		if err := os.Remove(e.Path + "-journal"); err != nil {
			t.Fatal(err)
		}
		if err := open(e, create); err != nil {
			t.Errorf("without the journal: %v", err)
		}
	}
}

// emptyingJournal is a journal of one record: that page 2 was empty before the transaction
// (SQLite's file format, section 3: the magic, the number of records, a nonce, the number
// of pages, the size of a sector and of a page; then the page's number, itself and a sum).
func emptyingJournal() string {
	words := func(all ...uint32) (b []byte) {
		for _, w := range all {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	const sector, page = 512, 4096
	journal := append([]byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"), words(1, 0, 2, sector, page)...)
	journal = append(journal, make([]byte, sector-len(journal))...)
	return string(slices.Concat(journal, words(2), make([]byte, page), words(0)))
}

// The whole content of a foreign database may be in the log of a program that was
// killed. To identify it SQLite then needs the log's index, which it rebuilds; but
// neither the database nor its log may change.
func TestOpenLeavesAForeignLogAlone(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "foreign.db")
	db, err := sql.Open("sqlite", source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for _, s := range []string{"PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0", "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')"} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	for _, create := range []bool{true, false} {
		e := bridgetest.NewEnv(t)
		before := map[string]string{}
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(source + suffix)
			if err != nil {
				t.Fatal(err)
			}
			write(t, e.Path+suffix, string(content))
			before["bridge.db"+suffix] = string(content)
		}
		if err := open(e, create); !errors.Is(err, bridge.ErrStoreForeign) {
			t.Errorf("got %v, want ErrStoreForeign", err)
		}
		after := folder(t, filepath.Dir(e.Path))
		delete(after, "bridge.db-shm")
		delete(after, "bridge.key")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the folder changed (-before +after):\n%.2000s", diff)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenLeavesNewerStoresAlone(t *testing.T) {
	t.Parallel()
	e := newStore(t)
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()+1))
	before := folder(t, filepath.Dir(e.Path))
	if err := open(e, true); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("got %v, want ErrStoreNewer", err)
	}
	if diff := cmp.Diff(before, folder(t, filepath.Dir(e.Path))); diff != "" {
		t.Errorf("the folder changed (-before +after):\n%.2000s", diff)
	}
}

func TestOpenRefusesAnotherKey(t *testing.T) {
	t.Parallel()
	e := newStore(t)
	before, err := os.ReadFile(e.Path)
	if err != nil {
		t.Fatal(err)
	}
	if e.Key, err = auth.NewKey(make([]byte, auth.KeySize)); err != nil {
		t.Fatal(err)
	}
	if err := open(e, true); !errors.Is(err, bridge.ErrStoreKey) {
		t.Errorf("got %v, want ErrStoreKey", err)
	}
	if after, err := os.ReadFile(e.Path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the database changed (%v)", err)
	}
}

func TestOpenWithoutCreateMakesNothing(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(*testing.T, string){
		"no folder":  func(t *testing.T, path string) { removeAll(t, filepath.Dir(path)) },
		"no file":    func(*testing.T, string) {},
		"empty file": func(t *testing.T, path string) { write(t, path, "") },
	} {
		t.Run(name, func(t *testing.T) {
			e := bridgetest.NewEnv(t)
			put(t, e.Path)
			list := func() map[string]string {
				if _, err := os.Stat(filepath.Dir(e.Path)); errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return folder(t, filepath.Dir(e.Path))
			}
			before := list()
			want := bridge.ErrStoreMissing
			if name == "empty file" {
				want = bridge.ErrStoreEmpty
			}
			if err := open(e, false); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			if diff := cmp.Diff(before, list()); diff != "" {
				t.Errorf("the folder changed (-before +after):\n%s", diff)
			}
		})
	}
}

func removeAll(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}

// TestOpenRefusesAnEmptyFile checks that an empty file is refused. bridge never creates
// one, so something has emptied the store, and creating a new one would hide that.
func TestOpenRefusesAnEmptyFile(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	write(t, e.Path, "")
	if err := open(e, true); !errors.Is(err, bridge.ErrStoreEmpty) {
		t.Errorf("got %v, want ErrStoreEmpty", err)
	}
	if info, err := os.Stat(e.Path); err != nil || info.Size() != 0 {
		t.Errorf("it was filled, %v", err)
	}
}

func TestCreateRefusesTheLogOfAnother(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	write(t, e.Path+"-wal", "what is left of another store")
	if err := open(e, true); !errors.Is(err, bridge.ErrStoreDamaged) {
		t.Errorf("got %v, want ErrStoreDamaged", err)
	}
}

func TestPrepareKeepsAFolderThatIsThere(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mine")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := storefile.Prepare(filepath.Join(dir, "bridge.db")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}
