package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// disk counts how often a store waits for the disk, and can be made to fail.
type disk struct {
	flushes int
	err     error
	then    func() // called at each flush, if set
}

func (d *disk) flush(log *os.File) error {
	d.flushes++
	if d.then != nil {
		d.then()
	}
	return errors.Join(d.err, log.Sync())
}

// store opens the store of e on this disk.
func (d *disk) store(t *testing.T, e *bridgetest.Env) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{Key: e.Key, Create: true, Flush: d.flush})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// TestCommitsSurviveWhatTheyMust checks which commits wait for the disk: everything
// that is acknowledged to an agent as done, and everything that hands out messages.
func TestCommitsSurviveWhatTheyMust(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	d := &disk{}
	s := bridge.New(bridge.Config{Store: d.store(t, e), Key: e.Key, Now: e.Clock.Now})

	var created bridge.Created
	var delivery bridge.Delivery
	var a, b bridge.Credentials
	send := func() error { _, err := s.Send(ctx, a, bridge.SendRequest{Text: "x"}); return err }
	check := func() (err error) { delivery, err = s.Check(ctx, b, bridge.CheckRequest{}, nil); return err }
	const waits, does = 1, 0
	tests := []struct {
		name string
		call func() error
		want int
	}{
		{"create", func() (err error) {
			created, err = s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
			a = bridge.Credentials{Conversation: created.ID, Session: bridge.SessionA, Token: created.TokenA}
			b = bridge.Credentials{Conversation: created.ID, Session: bridge.SessionB, Token: created.TokenB}
			return err
		}, waits},
		{"join", func() error { _, err := s.Join(ctx, created.JoinCode); return err }, waits},
		{"an empty check", check, does},
		{"send after it", send, waits},
		{"check", check, waits},
		{"confirm", func() error { return s.Confirm(ctx, delivery.Claim) }, does},
		{"send after it", send, waits},
		{"check", check, waits},
		{"give back", func() error { return s.GiveBack(ctx, delivery.Claim) }, does},
		{"heartbeat", func() error { _, err := s.UpdateStatus(ctx, a, bridge.StatusWorking); return err }, does},
		{"send after it", send, waits},
		{"history", func() error { _, err := s.History(ctx, a, 0, 0); return err }, does},
		{"tokens", func() error { _, err := s.Tokens(ctx, created.ID); return err }, waits},
		{"partner", func() error { _, err := s.CheckPartners(ctx, a, ""); return err }, does},
		{"cleanup", func() error { _, err := s.Cleanup(ctx, 0, false); return err }, waits},
		{"wrong token", func() error {
			bad := b
			bad.Token = a.Token
			_, _ = s.Check(ctx, bad, bridge.CheckRequest{}, nil) // mail is waiting, which must make no difference
			return nil
		}, does},
		{"rotate", func() error { _, err := s.RotateTokens(ctx, created.ID); return err }, waits},
	}
	for _, tt := range tests {
		d.flushes = 0
		if err := tt.call(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if d.flushes != tt.want {
			t.Errorf("%s waited %d times for the disk, want %d", tt.name, d.flushes, tt.want)
		}
	}
}

// TestFlushThatFails checks that a send is not acknowledged if its flush failed, and
// that the log is then copied into the database, because the system may have dropped
// the pages that it could not write.
func TestFlushThatFails(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	d := &disk{}
	s := bridge.New(bridge.Config{Store: d.store(t, e), Key: e.Key, Now: e.Clock.Now})
	p := bridgetest.NewPair(t, s)
	before := fileSize(t, e.Path)
	d.err = fs.ErrInvalid
	request := bridge.SendRequest{Text: string(make([]byte, 40_000)) + "x", IdempotencyKey: "once"}
	if _, err := s.Send(ctx, p.A, request); err == nil {
		t.Fatal("the send was acknowledged")
	}
	if after := fileSize(t, e.Path); after < before+30_000 {
		t.Errorf("the database has %d bytes, %d before: the log was not copied", after, before)
	}
	d.err = nil
	if sent, err := s.Send(ctx, p.A, request); err != nil || !sent.Repeated {
		t.Errorf("got %+v, %v, want the first answer", sent, err)
	}
}

// TestFlushAfterOneThatFailed checks that a successful flush after a failed one does
// not count while a reader prevents the log from being copied.
func TestFlushAfterOneThatFailed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	d := &disk{}
	s := bridge.New(bridge.Config{Store: d.store(t, e), Key: e.Key, Now: e.Clock.Now})
	p := bridgetest.NewPair(t, s)
	db, err := sql.Open("sqlite", e.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN; SELECT count(*) FROM messages"); err != nil {
		t.Fatal(err)
	}
	request := bridge.SendRequest{Text: "hello", IdempotencyKey: "once"}
	d.err = fs.ErrInvalid
	if _, err := s.Send(ctx, p.A, request); !errors.Is(err, bridge.ErrOutcomeUnknown) {
		t.Fatalf("got %v, want outcome unknown", err)
	}
	d.err = nil
	if _, err := s.Send(ctx, p.A, request); !errors.Is(err, bridge.ErrOutcomeUnknown) {
		t.Errorf("got %v, want outcome unknown while the log is not copied", err)
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if sent, err := s.Send(ctx, p.A, request); err != nil || !sent.Repeated {
		t.Errorf("got %+v, %v, want the first answer", sent, err)
	}
}

// TestOthersKnowOfAFlushThatFailed checks that after a failed flush no other process,
// whether already running or newly started, acknowledges anything until the log has
// been copied, even if its own flushes succeed.
func TestOthersKnowOfAFlushThatFailed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	failing := &disk{}
	first := failing.store(t, e)
	s := bridge.New(bridge.Config{Store: first, Key: e.Key, Now: e.Clock.Now})
	p := bridgetest.NewPair(t, s)
	running := bridge.New(bridge.Config{Store: new(disk).store(t, e), Key: e.Key, Now: e.Clock.Now})
	db, err := sql.Open("sqlite", e.Path)
	must(t, err)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	_, err = db.Exec("BEGIN; SELECT count(*) FROM messages")
	must(t, err)
	failing.err = fs.ErrInvalid
	if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "hello"}); !errors.Is(err, bridge.ErrOutcomeUnknown) {
		t.Fatalf("got %v, want outcome unknown", err)
	}
	beginning := bridge.New(bridge.Config{Store: new(disk).store(t, e), Key: e.Key, Now: e.Clock.Now})
	for name, other := range map[string]*bridge.Service{"running": running, "beginning": beginning} {
		if _, err := other.Send(ctx, p.B, bridge.SendRequest{Text: "x", IdempotencyKey: name}); !errors.Is(err, bridge.ErrOutcomeUnknown) {
			t.Errorf("%s: got %v, want outcome unknown while the log is not copied", name, err)
		}
	}
	_, err = db.Exec("ROLLBACK")
	must(t, err)
	if sent, err := running.Send(ctx, p.B, bridge.SendRequest{Text: "x", IdempotencyKey: "running"}); err != nil || !sent.Repeated {
		t.Errorf("got %+v, %v, want the first answer", sent, err)
	}
	files, err := storefile.Track(e.Path)
	must(t, err)
	defer func() { must(t, files.Close()) }()
	if failed := files.Unsaved(); failed != 0 {
		t.Errorf("%d failed flushes are still recorded", failed)
	}
	_, err = beginning.Send(ctx, p.B, bridge.SendRequest{Text: "y"})
	must(t, err)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestFlushesReachTheDisk checks that SQLite's own flushes use F_FULLFSYNC on systems
// where a plain fsync only reaches the disk's cache. Whether the data then survives can
// only be seen by cutting the power on such a system.
func TestFlushesReachTheDisk(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	if ok, err := new(disk).store(t, e).FlushesFully(); err != nil || !ok {
		t.Errorf("SQLite does not wait for the disk: %v", err)
	}
}
