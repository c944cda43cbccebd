package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// room is a store with one message, with its key beside it, and a folder for backups.
type room struct {
	env     *bridgetest.Env
	keyFile string
	pair    bridgetest.Pair
	dir     string
	now     time.Time
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{env: bridgetest.NewEnv(t), dir: filepath.Join(t.TempDir(), "kept a[b"), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.keyFile = keyfile.Beside(r.env.Path)
	r.work(t, func(s *bridge.Service, _ *sqlite.Store) {
		r.pair = bridgetest.NewPair(t, s)
		r.send(t, s, "the first message")
	})
	return r
}

// work opens the store and uses it.
func (r *room) work(t *testing.T, fn func(*bridge.Service, *sqlite.Store)) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), r.env.Path, sqlite.Options{Key: r.env.Key, Create: true})
	must(t, err)
	fn(bridge.New(bridge.Config{Store: store, Key: r.env.Key}), store)
	must(t, store.Close())
}

func (r *room) send(t *testing.T, s *bridge.Service, text string) {
	t.Helper()
	_, err := s.Send(t.Context(), r.pair.A, bridge.SendRequest{Text: text})
	must(t, err)
}

func (r *room) backUp(t *testing.T, recipients ...age.Recipient) (folder string, made backup.Manifest) {
	t.Helper()
	r.work(t, func(_ *bridge.Service, store *sqlite.Store) {
		var err error
		r.now = r.now.Add(time.Hour)
		folder, made, err = backup.Maker{Path: store.Path(), CopyTo: copyTo(store), Examine: sqlite.Examine, Key: r.env.Key, Program: "v1", Recipients: recipients}.Make(t.Context(), r.dir, r.now)
		must(t, err)
	})
	return folder, made
}

func copyTo(store *sqlite.Store) func(context.Context, string) (audit.Head, error) {
	return func(_ context.Context, path string) (audit.Head, error) { return audit.Head{}, store.CopyTo(path) }
}

func (r *room) reader(identities []age.Identity) backup.Reader {
	return backup.Reader{Key: r.env.Key, Identities: identities, Examine: sqlite.Examine}
}

func (r *room) unread(t *testing.T) (n int64) {
	t.Helper()
	r.work(t, func(s *bridge.Service, _ *sqlite.Store) {
		mail, err := s.CountMail(t.Context(), r.pair.B)
		must(t, err)
		n = mail.Unread
	})
	return n
}

// names returns the names in a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestPlace checks that a backup becomes the store, and that the previous store is kept
// complete.
func TestPlace(t *testing.T) {
	r := newRoom(t)
	folder, _ := r.backUp(t)
	r.work(t, func(s *bridge.Service, _ *sqlite.Store) { r.send(t, s, "the second message") })

	o, err := r.reader(nil).Open(t.Context(), folder, filepath.Dir(r.env.Path))
	must(t, err)
	r.work(t, func(_ *bridge.Service, store *sqlite.Store) {
		later, err := store.Since(t.Context(), o.Contents)
		must(t, err)
		if want := (sqlite.Later{Same: true, Entries: 1, Messages: 1}); later != want {
			t.Errorf("the store has %+v more, want %+v", later, want)
		}
		if _, err := o.Place(r.env.Path, r.env.Key, r.now); !errors.Is(err, bridge.ErrStoreBusy) {
			t.Errorf("placed over a store in use: %v", err)
		}
	})
	if got := r.unread(t); got != 2 {
		t.Errorf("%d unread messages after a refusal, want 2", got)
	}
	aside, err := o.Place(r.env.Path, r.env.Key, r.now)
	must(t, err)
	must(t, o.Close())
	if got := r.unread(t); got != 1 {
		t.Errorf("%d unread messages in the store that was restored, want 1", got)
	}
	r.env.Path = filepath.Join(aside, filepath.Base(r.env.Path))
	if got := r.unread(t); got != 2 {
		t.Errorf("%d unread messages in the store that was moved aside, want 2", got)
	}
	if key, err := keyfile.Load(keyfile.Beside(r.env.Path)); err != nil || !bytes.Equal(key.Derive("x"), r.env.Key.Derive("x")) {
		t.Errorf("the key is not beside the store that was moved aside: %v", err)
	}
}

// TestPlaceFails checks that if the copy cannot become the store, the old store is back
// in place with its key.
func TestPlaceFails(t *testing.T) {
	r := newRoom(t)
	folder, _ := r.backUp(t)
	o, err := r.reader(nil).Open(t.Context(), folder, filepath.Dir(r.env.Path))
	must(t, err)
	must(t, o.Close()) // the copy is gone
	other, err := auth.NewKey(bytes.Repeat([]byte{7}, auth.KeySize))
	must(t, err)
	before := names(t, filepath.Dir(r.env.Path))
	for _, key := range []auth.Key{r.env.Key, other} {
		if _, err := o.Place(r.env.Path, key, r.now); err == nil {
			t.Fatal("a copy that is gone was placed")
		}
		if got := names(t, filepath.Dir(r.env.Path)); strings.Join(got, " ") != strings.Join(before, " ") {
			t.Errorf("the folder holds %v, and held %v", got, before)
		}
	}
	if got := r.unread(t); got != 1 {
		t.Errorf("%d unread messages, want 1", got)
	}
}

// TestPlaceBesideAStart checks that a store which a starting process makes just after
// the old one was moved aside is not replaced, neither by the copy nor by the old store.
func TestPlaceBesideAStart(t *testing.T) {
	for name, gone := range map[string]bool{"the copy is placed": false, "the old store is put back": true} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			folder, _ := r.backUp(t)
			o, err := r.reader(nil).Open(t.Context(), folder, filepath.Dir(r.env.Path))
			must(t, err)
			defer func() { must(t, o.Close()) }()
			if gone {
				must(t, os.Remove(o.Copy()))
			}
			aside := filepath.Join(t.TempDir(), "aside")
			must(t, os.Mkdir(aside, 0o700))
			old := filepath.Join(aside, filepath.Base(r.env.Path))
			must(t, os.WriteFile(old, []byte("the old store"), 0o600))

			kept, err := backup.Replace(o, r.env.Path, r.env.Key, aside, []string{r.env.Path})
			if !errors.Is(err, bridge.ErrStoreBusy) || kept != aside || !strings.Contains(err.Error(), aside) {
				t.Errorf("got %q, %v", kept, err)
			}
			if got := r.unread(t); got != 1 {
				t.Errorf("%d unread messages in the store that was made meanwhile, want 1", got)
			}
			if content, err := os.ReadFile(old); err != nil || string(content) != "the old store" {
				t.Errorf("the old store is %q now, %v", content, err)
			}
		})
	}
}

// TestPutBackIsRefused checks that a log which a starting process has made keeps the old
// database from being put back without its own log.
func TestPutBackIsRefused(t *testing.T) {
	r := newRoom(t)
	folder, _ := r.backUp(t)
	o, err := r.reader(nil).Open(t.Context(), folder, filepath.Dir(r.env.Path))
	must(t, err)
	must(t, o.Close()) // the copy is gone
	aside := filepath.Join(t.TempDir(), "aside")
	must(t, os.Mkdir(aside, 0o700))
	for _, ending := range []string{"", "-wal"} {
		must(t, os.WriteFile(filepath.Join(aside, "bridge.db"+ending), []byte("old"), 0o600))
	}
	must(t, os.Remove(r.env.Path))
	must(t, os.WriteFile(r.env.Path+"-wal", []byte("new"), 0o600))
	kept, err := backup.Replace(o, r.env.Path, r.env.Key, aside, []string{r.env.Path + "-wal", r.env.Path})
	if !errors.Is(err, bridge.ErrStoreBusy) || kept != aside {
		t.Errorf("got %q, %v", kept, err)
	}
	if got := names(t, aside); !slices.Equal(got, []string{"bridge.db", "bridge.db-wal"}) {
		t.Errorf("aside are %q", got)
	}
}

// TestPlaceBesideAnotherKey checks that no store is placed beside a key that a starting
// process has made.
func TestPlaceBesideAnotherKey(t *testing.T) {
	r := newRoom(t)
	folder, _ := r.backUp(t)
	o, err := r.reader(nil).Open(t.Context(), folder, filepath.Dir(r.env.Path))
	must(t, err)
	defer func() { must(t, o.Close()) }()
	other, err := auth.NewKey(bytes.Repeat([]byte{7}, auth.KeySize))
	must(t, err)
	must(t, errors.Join(os.Remove(r.env.Path), os.RemoveAll(r.keyFile), keyfile.Save(other, r.keyFile)))
	if _, err := backup.Replace(o, r.env.Path, r.env.Key, "", nil); !errors.Is(err, bridge.ErrStoreBusy) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(r.env.Path); err == nil {
		t.Error("the store is there")
	}
	if key, err := keyfile.Load(r.keyFile); err != nil || !auth.SameKey(key, other) {
		t.Errorf("the other key was replaced: %v", err)
	}
}

// TestPlaceOverRemains checks that the remains of a store, and another store's key, are
// moved aside, and that the restored store is complete.
func TestPlaceOverRemains(t *testing.T) {
	for name, remove := range map[string][]string{"the database is gone": {""}, "only the key is left": {"", "-wal", "-shm"}} {
		for _, otherKey := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, another key: %t", name, otherKey), func(t *testing.T) {
				r := newRoom(t)
				folder, _ := r.backUp(t)
				for _, ending := range []string{"-wal", "-shm"} { // left by a process that was killed
					must(t, os.WriteFile(r.env.Path+ending, []byte("left"), 0o600))
				}
				for _, ending := range remove {
					must(t, os.Remove(r.env.Path+ending))
				}
				old := []byte("not a key at all")
				if otherKey {
					must(t, os.WriteFile(r.keyFile, old, 0o600))
				}
				o, err := r.reader(nil).Open(t.Context(), folder, filepath.Dir(r.env.Path))
				must(t, err)
				aside, err := o.Place(r.env.Path, r.env.Key, r.now)
				must(t, errors.Join(err, o.Close()))
				if otherKey {
					kept, err := os.ReadFile(filepath.Join(aside, "bridge.key"))
					if err != nil || !bytes.Equal(kept, old) {
						t.Errorf("the other key is %q now, %v", kept, err)
					}
				}
				if (aside != "") != (otherKey || len(remove) == 1) {
					t.Errorf("moved aside: %q", aside)
				}
				if key, err := keyfile.Load(r.keyFile); err != nil || !auth.SameKey(key, r.env.Key) {
					t.Errorf("the key is not beside the store: %v", err)
				}
				if got := r.unread(t); got != 1 {
					t.Errorf("%d unread messages, want 1", got)
				}
			})
		}
	}
}

// TestSealed checks that a sealed backup contains no text and that only its recipient
// can open it.
func TestSealed(t *testing.T) {
	r := newRoom(t)
	identity, err := age.GenerateX25519Identity()
	must(t, err)
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	folder, _ := r.backUp(t, identity.Recipient())
	for _, name := range names(t, folder) {
		content, err := os.ReadFile(filepath.Join(folder, name))
		must(t, err)
		if bytes.Contains(content, []byte("the first message")) || bytes.Contains(content, []byte("SQLite format")) {
			t.Errorf("%s holds text", name)
		}
	}
	for _, tt := range []struct {
		name       string
		identities []age.Identity
		want       error
	}{
		{"nobody", nil, backup.ErrSealed},
		{"a stranger", []age.Identity{stranger}, backup.ErrSealed},
		{"the recipient", []age.Identity{stranger, identity}, nil},
	} {
		o, err := r.reader(tt.identities).Open(t.Context(), folder, filepath.Dir(r.env.Path))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
		if err == nil {
			must(t, o.Close())
		}
	}
	if left := names(t, filepath.Dir(r.env.Path)); strings.Contains(strings.Join(left, " "), "backup") {
		t.Errorf("left beside the store: %v", left)
	}
}

// TestIdentities checks that errors about an identity file reveal nothing of its
// content.
func TestIdentities(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	must(t, err)
	file := filepath.Join(t.TempDir(), "age.txt")
	must(t, os.WriteFile(file, []byte("# mine\n"+identity.String()+"\n"), 0o600))
	if all, err := backup.Identities(file); err != nil || len(all) != 1 {
		t.Errorf("%d identities, %v", len(all), err)
	}
	must(t, os.WriteFile(file, []byte(strings.ToLower(identity.String())+"x\n"), 0o600))
	if _, err := backup.Identities(file); err == nil || strings.Contains(strings.ToUpper(err.Error()), "AGE-SECRET") {
		t.Errorf("error %v", err)
	}
}

// TestPrune checks that only backups of the same store that are old enough are removed.
func TestPrune(t *testing.T) {
	r := newRoom(t)
	var folders []string
	var newest backup.Manifest
	for range 4 { // an hour apart
		var folder string
		folder, newest = r.backUp(t)
		folders = append(folders, filepath.Base(folder))
	}
	stranger := newRoom(t)
	stranger.dir = r.dir
	stranger.now = r.now.Add(-200 * time.Hour)
	other, _ := stranger.backUp(t)
	must(t, os.Mkdir(filepath.Join(r.dir, "bridge-notes"), 0o700))

	removed, err := backup.Prune(r.dir, r.env.Key, newest, 90*time.Minute)
	must(t, err)
	if len(removed) != 2 || filepath.Base(removed[0]) != folders[0] || filepath.Base(removed[1]) != folders[1] {
		t.Errorf("removed %v", removed)
	}
	want := []string{filepath.Base(other), folders[2], folders[3], "bridge-notes"}
	if got := names(t, r.dir); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
}

// TestManifest checks that a manifest with a change in any field is refused.
func TestManifest(t *testing.T) {
	r := newRoom(t)
	folder, made := r.backUp(t)
	file := filepath.Join(folder, "manifest.json")
	content, err := os.ReadFile(file)
	must(t, err)
	if read, err := backup.ReadManifest(folder, r.env.Key); err != nil || read.AuditHead != made.AuditHead {
		t.Errorf("read %+v, %v", read, err)
	}
	for old, fresh := range map[string]string{
		`"messages": 1`: `"messages": 2`, `"program": "v1"`: `"program": "v2"`, `"sealed": false`: `"sealed": true`,
		`"made": "2026`: `"made": "2025`, `"format": 1`: `"format": 2`, `"last_message": 1`: `"last_message": 0`, `{`: ``,
	} {
		changed := strings.Replace(string(content), old, fresh, 1)
		if changed == string(content) {
			t.Fatalf("%s is not in the manifest", old)
		}
		must(t, os.WriteFile(file, []byte(changed), 0o600))
		if _, err := backup.ReadManifest(folder, r.env.Key); !errors.Is(err, bridge.ErrStoreKey) && !errors.Is(err, backup.ErrNoBackup) {
			t.Errorf("%s: error %v", old, err)
		}
	}
}
