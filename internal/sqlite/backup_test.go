//go:build unix

package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestCopyUnderLoad makes copies while processes send, read and are killed. Each copy
// must be sound and hold every message that was acknowledged before the copy was begun.
func TestCopyUnderLoad(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Service(t, func(c *bridge.Config) { c.Now = hastyClock })
	p := bridgetest.NewPair(t, s)
	r := &rack{t: t}
	for range 2 {
		r.add("sender", arguments(e, p.A))
		r.add("receiver", arguments(e, p.B))
	}
	store := e.Store(t)
	acknowledged := 0
	for n := 0; n < 8 || acknowledged < 50; n++ {
		before := r.sent()
		acknowledged = len(before)
		copied := filepath.Join(t.TempDir(), "bridge.db")

		must(t, store.CopyTo(copied))
		found, err := sqlite.Examine(t.Context(), copied, e.Key)
		must(t, err)
		if found.Messages < int64(acknowledged) {
			t.Errorf("%d messages copied, %d were acknowledged before", found.Messages, acknowledged)
		}
		if missing := missing(t, copied, before); len(missing) > 0 {
			t.Errorf("copy %d lacks %v", n, missing)
		}
		later, err := store.Since(t.Context(), found)
		must(t, err)
		if !later.Same {
			t.Error("the copy is not recognized as one of this store")
		}
		r.replace(n % len(r.running))
	}
	r.stop()
}

// sent returns the messages acknowledged so far.
func (r *rack) sent() (all []event) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, e := range r.history {
		if e.kind == "ack" {
			all = append(all, e)
		}
	}
	return all
}

// missing returns the numbers of acknowledged messages that are not in a database.
func missing(t *testing.T, path string, sent []event) (all []int64) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for _, e := range sent {
		var n int
		conversation, recipient, _ := strings.Cut(e.inbox, "/")
		must(t, db.QueryRow("SELECT count(*) FROM messages WHERE conversation = ? AND recipient = ? AND seq = ?", conversation, recipient, e.seq).Scan(&n))
		if n == 0 {
			all = append(all, e.seq)
		}
	}
	return all
}

// TestExamineWithAnArchive checks that Examine accepts a copy whose log begins after
// an archive, and refuses one that only claims so.
func TestExamineWithAnArchive(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s, store := e.Service(t), e.Store(t)
	bridgetest.NewPair(t, s)
	e.Clock.Advance(24 * time.Hour)
	op := s.OperatorOperation("archive_audit", "")
	_, err := archive.New(store, e.Key).Make(t.Context(), op, filepath.Join(t.TempDir(), "archive"), e.Clock.Now())
	must(t, err)
	path := filepath.Join(t.TempDir(), "copy.db")
	must(t, store.CopyTo(path))
	_, err = sqlite.Examine(t.Context(), path, e.Key)
	must(t, err)
	query(t, path, "UPDATE audit_base SET seq = seq + 1")
	if _, err = sqlite.Examine(t.Context(), path, e.Key); !errors.As(err, new(*audit.Fault)) {
		t.Errorf("a log that begins elsewhere: %v", err)
	}
}

// TestExamine checks that Examine finds and names each kind of damage in a copy.
func TestExamine(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	p := bridgetest.NewPair(t, s)
	for i := range 100 {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: fmt.Sprintf("number %d %s", i, strings.Repeat("text ", 100))})
		must(t, err)
	}
	whole := filepath.Join(t.TempDir(), "whole.db")

	must(t, store.CopyTo(whole))
	must(t, store.Close())
	content, err := os.ReadFile(whole)
	must(t, err)

	found, err := sqlite.Examine(t.Context(), whole, e.Key)
	must(t, err)
	if found.Messages != 100 || found.Conversations != 1 || found.SchemaVersion != sqlite.SchemaVersion() || found.Head.Seq == 0 {
		t.Errorf("found %+v", found)
	}
	if info, err := os.Stat(whole); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v, %v", info.Mode(), err)
	}

	change := func(query string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			must(t, err)
			_, err = db.Exec(query)
			must(t, errors.Join(err, db.Close()))
		}
	}
	other, err := auth.NewKey(slices.Repeat([]byte{7}, auth.KeySize))
	must(t, err)
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, path string)
		key    auth.Key
		want   error
	}{
		{"another key", func(*testing.T, string) {}, other, bridge.ErrStoreKey},
		{"a page of zeros", func(t *testing.T, path string) {
			c := slices.Clone(content)
			clear(c[len(c)/2/4096*4096 : len(c)/2/4096*4096+4096])
			must(t, os.WriteFile(path, c, 0o600))
		}, e.Key, bridge.ErrStoreDamaged},
		{"cut off", func(t *testing.T, path string) { must(t, os.Truncate(path, int64(len(content)/2))) }, e.Key, bridge.ErrStoreDamaged},
		{"a changed entry of the log", change("UPDATE audit_log SET outcome = 'denied' WHERE seq = 50"), e.Key, new(audit.Fault)},
		{"entries cut off the log", change("DELETE FROM audit_log WHERE seq > 50"), e.Key, new(audit.Fault)},
		{"a missing conversation", change("DELETE FROM conversations"), e.Key, bridge.ErrStoreDamaged},
		{"an additional trigger", change("CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM messages; END"), e.Key, bridge.ErrStoreDamaged},
		{"something else", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, slices.Repeat([]byte("text"), 2000), 0o600))
		}, e.Key, bridge.ErrStoreForeign},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "copy.db")
			must(t, os.WriteFile(path, content, 0o600))
			tt.damage(t, path)
			_, err := sqlite.Examine(t.Context(), path, tt.key)
			if fault := new(audit.Fault); !errors.Is(err, tt.want) && !(errors.As(tt.want, &fault) && errors.As(err, &fault)) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}
