//go:build unix

package sqlite_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// holding returns the files below dir that contain a text.
func holding(t *testing.T, dir, text string) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			names = append(names, filepath.Base(path))
		}
		return err
	}))
	return names
}

// TestNothingIsLeftOfWhatWasRemoved checks that a cleanup, while other processes have
// the store open, leaves no removed word in any file, shrinks the file, removes the
// doorbells of sessions that are gone, and keeps no rate limit accounts of removed
// conversations.
func TestNothingIsLeftOfWhatWasRemoved(t *testing.T) {
	t.Parallel()
	const marker = "the-word-that-must-go"
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	other := e.Service(t)
	bridgetest.SetLimits(t, s, bridge.DefaultLimits())
	p := bridgetest.NewPair(t, s)
	for i := range 8 {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: fmt.Sprintf("%s %d %s", marker, i, strings.Repeat("filling ", 5000)), IdempotencyKey: fmt.Sprint(i)})
		must(t, err)
	}
	_, err := other.Conversations(t.Context())
	must(t, err)
	// Use the clock of this process. The store would adopt a later one and, since
	// accounts are dropped after a day, drop them all.
	waiter := start(t, "waiter", append(arguments(e, p.B), e.Clock.Now().Format(time.RFC3339))...)
	waiter.line(t)
	must(t, waiter.Process.Kill())
	_ = waiter.Wait()
	bells := filepath.Join(filepath.Dir(e.Path), "bells")
	if left, _ := fs.Glob(os.DirFS(bells), "*/*"); len(left) == 0 {
		t.Log("the waiter had not created a doorbell yet")
	}
	if len(holding(t, filepath.Dir(e.Path), marker)) == 0 {
		t.Fatal("the word is in no file, so the test cannot fail")
	}
	accounts := "WHERE bucket LIKE '%" + p.A.Conversation + "%'"
	if countRows(t, e.Path, "rate_limits", accounts) == 0 {
		t.Fatal("the conversation has no account, so the test cannot fail")
	}
	e.Clock.Advance(bridge.AccountsFor - time.Hour) // all accounts are dropped after a day
	if removed, err := s.Cleanup(t.Context(), 0, false); err != nil || len(removed) != 1 {
		t.Fatalf("removed %d, %v", len(removed), err)
	}
	must(t, s.Compact(t.Context()))
	if left := holding(t, filepath.Dir(e.Path), marker); len(left) > 0 {
		t.Errorf("the word is still in %v", left)
	}
	if left, _ := fs.Glob(os.DirFS(bells), "*"); len(left) > 0 {
		t.Errorf("bells are left: %v", left)
	}
	info, err := os.Stat(e.Path)
	must(t, err)
	if info.Size() > 250<<10 {
		t.Errorf("the file still has %d bytes", info.Size())
	}
	if info, err := os.Stat(e.Path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log still has %d bytes, %v", info.Size(), err)
	}
	for _, table := range []string{"messages", "session_status", "conversations", "yolo_modes", "silences"} {
		if n := countRows(t, e.Path, table, ""); n != 0 {
			t.Errorf("%s still has %d rows", table, n)
		}
	}
	if n := countRows(t, e.Path, "rate_limits", accounts); n != 0 {
		t.Errorf("%d accounts of the conversation are left", n)
	}
	if _, err := other.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"}); err != nil {
		t.Errorf("the store after it: %v", err)
	}
	checkIntegrity(t, e.Path)
}

// TestOldStoresShrinkToo checks that the first cleanup rewrites a store made before
// files could shrink in steps.
func TestOldStoresShrinkToo(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	must(t, sqlite.CreateVersion(e.Path, e.Key, 1))
	s := e.Service(t)
	p := bridgetest.NewPair(t, s)
	for i := range 8 {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: fmt.Sprint(i, strings.Repeat("filling ", 5000))})
		must(t, err)
	}
	e.Clock.Advance(bridge.MaxTTL + time.Hour)
	_, err := s.Cleanup(t.Context(), 0, false)
	must(t, err)
	must(t, s.Compact(t.Context()))
	if info, err := os.Stat(e.Path); err != nil || info.Size() > 250<<10 {
		t.Errorf("the file still has %d bytes, %v", info.Size(), err)
	}
	if _, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"}); err != nil {
		t.Error(err)
	}
}

func countRows(t *testing.T, path, table, where string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.QueryRow("SELECT count(*) FROM "+table+" "+where).Scan(&n))
	return n
}
