package storecopy_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/storecopy"
)

// opened is a store of either kind, for moves in both directions.
type opened struct {
	store  bridge.Store
	source storecopy.Source
	open   func(auth.Key) error // opens it as another process would
	reopen func(auth.Key) error
}

func reopening() bridge.Operation {
	return bridge.Operation{Now: time.Now(), Actor: bridge.Operator, Action: "reopen_store", Details: bridge.Details{}}
}

func inFile(t *testing.T, path string, key auth.Key) opened {
	t.Helper()
	s := openFile(t, path, key)
	return opened{
		store: s, source: storecopy.FromFile(s),
		open: func(key auth.Key) error {
			s, err := sqlite.Open(context.Background(), path, sqlite.Options{Key: key})
			if err != nil {
				return err
			}
			return s.Close()
		},
		reopen: func(key auth.Key) error {
			return sqlite.Reopen(t.Context(), path, sqlite.Options{Key: key}, reopening())
		},
	}
}

func onServer(t *testing.T, dsn string, key auth.Key) (opened, *postgres.Store) {
	t.Helper()
	s := openServer(t, dsn, key)
	return opened{
		store: s, source: storecopy.FromServer(s, key),
		open: func(key auth.Key) error {
			s, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: key})
			if err != nil {
				return err
			}
			return s.Close()
		},
		reopen: func(key auth.Key) error {
			return postgres.Reopen(t.Context(), dsn, postgres.Options{Key: key}, reopening())
		},
	}, s
}

// TestMovedStoresAreClosed moves a store to a server and on into another file, while
// its sessions write. Everything acknowledged must be in the copy. The moved store must
// refuse processes that are running and those that start, and say how to reopen it.
func TestMovedStoresAreClosed(t *testing.T) {
	postgrestest.Need(t, server)
	x := newSample(t)
	file := inFile(t, x.Path, x.Key)
	place, target := onServer(t, server.Schema(), x.Key)
	path := filepath.Join(filepath.Dir(x.Path), "back.db")
	move := storecopy.Copy{Key: x.Key, Now: time.Now(), Move: true}

	move.From = file.source
	whileSending(t, x, file.store, place.store, func() error {
		_, err := move.ToServer(t.Context(), target.Fill)
		return err
	})
	closed(t, "file", x, file)

	move.From = place.source
	whileSending(t, x, place.store, nil, func() error {
		_, err := move.ToFile(t.Context(), inFiles(), path)
		return err
	})
	closed(t, "server", x, place)
	if _, err := bridge.New(bridge.Config{Store: openFile(t, path, x.Key), Key: x.Key}).VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Errorf("the copy of the copy: %v", err)
	}
}

// whileSending moves a store while a session sends. Every acknowledged message must be
// in the store that it was moved to.
func whileSending(t *testing.T, x sample, from, to bridge.Store, move func() error) {
	t.Helper()
	begun, moved, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	sent := 0
	go func() {
		s := bridge.New(bridge.Config{Store: from, Key: x.Key})
		for i := 0; ; i++ {
			_, err := s.Send(context.Background(), x.pair.A, bridge.SendRequest{Text: "while it moves " + strconv.Itoa(i)})
			if i == 2 {
				close(begun)
			}
			if err != nil {
				ended <- err
				return
			}
			sent++
			if i > 20 { // more would exceed the limits
				<-moved
			}
		}
	}()
	<-begun
	must(t, move())
	close(moved)
	if err := <-ended; !errors.Is(err, bridge.ErrStoreMoved) {
		t.Fatalf("the sender ended with %v", err)
	}
	if to == nil {
		return
	}
	messages, err := bridge.New(bridge.Config{Store: to, Key: x.Key}).Messages(t.Context(), x.pair.A.Conversation, 0, 1000)
	must(t, err)
	got := 0
	for _, m := range messages {
		if strings.HasPrefix(m.Text, "while it moves ") {
			got++
		}
	}
	if got != sent {
		t.Errorf("%d messages came along of %d", got, sent)
	}
}

// closed tries to use a moved store in all ways, and then reopens it.
func closed(t *testing.T, name string, x sample, o opened) {
	t.Helper()
	ctx := t.Context()
	s := bridge.New(bridge.Config{Store: o.store, Key: x.Key})
	_, reading := s.Conversations(ctx)
	_, sending := s.Send(ctx, x.pair.A, bridge.SendRequest{Text: "x"})
	_, looking := s.Check(ctx, x.pair.B, bridge.CheckRequest{Limit: 1}, nil)
	for what, err := range map[string]error{"reading": reading, "sending": sending, "looking": looking, "opening": o.open(x.Key)} {
		if !errors.Is(err, bridge.ErrStoreMoved) || !strings.Contains(err.Error(), "bridge store reopen") {
			t.Errorf("%s: %s: got %v", name, what, err)
		}
	}
	if err := o.reopen(bridgetest.NewEnv(t).Key); !errors.Is(err, bridge.ErrStoreKey) {
		t.Errorf("%s: opened again with another key: %v", name, err)
	}
	if err := o.open(x.Key); !errors.Is(err, bridge.ErrStoreMoved) {
		t.Errorf("%s: another key opened it: %v", name, err)
	}
	must(t, o.reopen(x.Key))
	if err := o.reopen(x.Key); !errors.Is(err, bridge.ErrStoreNotMoved) {
		t.Errorf("%s: opened again though it is open: %v", name, err)
	}
	_, err := s.Send(ctx, x.pair.A, bridge.SendRequest{Text: "open again"})
	must(t, err)
	if _, err := s.VerifyAudit(ctx, audit.Head{}); err != nil {
		t.Errorf("%s: the log of the store that was opened again: %v", name, err)
	}
	entries, err := o.store.AuditEntries(ctx, bridge.AuditQuery{})
	must(t, err)
	var log []string
	for _, e := range entries {
		if strings.HasSuffix(e.Action, "_store") && e.Action != "copy_store" {
			log = append(log, e.Action+" "+e.Session+" "+e.Outcome)
		}
	}
	if got := strings.Join(log, ", "); got != "move_store operator ok, reopen_store operator ok" && got != "reopen_store operator ok, move_store operator ok" {
		t.Errorf("%s: the log says %s", name, got)
	}
}

// TestMovesThatFailLeaveTheSourceOpen refuses one move and kills another.
func TestMovesThatFailLeaveTheSourceOpen(t *testing.T) {
	postgrestest.Need(t, server)
	x := newSample(t)
	file := inFile(t, x.Path, x.Key)
	dsn := server.Schema()
	used, target := onServer(t, dsn, x.Key)
	t.Setenv("COPY_MOVES", "1")
	die(t, dsn, x.Path, "", 40)
	must(t, file.open(x.Key))
	bridgetest.NewPair(t, bridge.New(bridge.Config{Store: used.store, Key: x.Key}))
	_, err := storecopy.Copy{From: file.source, Key: x.Key, Now: time.Now(), Move: true}.ToServer(t.Context(), target.Fill)
	if !errors.Is(err, postgres.ErrNotEmpty) {
		t.Errorf("got %v for a store in use", err)
	}
	must(t, file.open(x.Key))
	path := filepath.Join(filepath.Dir(x.Path), "back.db")
	die(t, dsn, x.Path, path, 5)
	must(t, used.open(x.Key))
	if _, err := bridge.New(bridge.Config{Store: used.store, Key: x.Key}).Conversations(t.Context()); err != nil {
		t.Errorf("a move that was killed closed its source: %v", err)
	}
}

// TestMoveKilledAfterItsCopy kills a move after its copy is complete and before the
// source is marked as moved. Both stores must hold everything, and the source must
// still be in use. A second move must say so, and must succeed after the copy is
// removed.
func TestMoveKilledAfterItsCopy(t *testing.T) {
	postgrestest.Need(t, server)
	x := newSample(t)
	file := inFile(t, x.Path, x.Key)
	dsn := server.Schema()
	place, target := onServer(t, dsn, x.Key)
	path := filepath.Join(filepath.Dir(x.Path), "back.db")
	move := storecopy.Copy{Key: x.Key, Now: time.Now(), Move: true}
	t.Setenv("COPY_MOVES", "1")
	t.Setenv("COPY_DIES_AFTER", "1")

	die(t, dsn, x.Path, "", -1)
	stillUsed(t, x, file, place.store)
	move.From = file.source
	if _, err := move.ToServer(t.Context(), target.Fill); !errors.Is(err, postgres.ErrNotEmpty) {
		t.Errorf("moved again: got %v, want ErrNotEmpty", err)
	}

	die(t, dsn, x.Path, path, -1)
	stillUsed(t, x, place, openFile(t, path, x.Key))
	move.From = place.source
	_, err := move.ToFile(t.Context(), inFiles(), path)
	if !errors.Is(err, storecopy.ErrOccupied) || !strings.Contains(err.Error(), "remove that and move again") {
		t.Errorf("moved again: got %v, want ErrOccupied and what to do", err)
	}
	path = filepath.Join(filepath.Dir(x.Path), "again.db")
	whileSending(t, x, place.store, nil, func() error {
		_, err := move.ToFile(t.Context(), inFiles(), path)
		return err
	})
	closed(t, "server", x, place)
}

// stillUsed checks a store after a move that was killed when its copy was complete.
func stillUsed(t *testing.T, x sample, source opened, copied bridge.Store) {
	t.Helper()
	must(t, source.open(x.Key))
	s, c := bridge.New(bridge.Config{Store: source.store, Key: x.Key}), bridge.New(bridge.Config{Store: copied, Key: x.Key})
	there, err := s.Messages(t.Context(), x.pair.A.Conversation, 0, 1000)
	must(t, err)
	here, err := c.Messages(t.Context(), x.pair.A.Conversation, 0, 1000)
	must(t, err)
	if diff := cmp.Diff(there, here); diff != "" {
		t.Errorf("the copy has other messages: %s", diff)
	}
	for name, s := range map[string]*bridge.Service{"source": s, "copy": c} {
		if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
			t.Errorf("the log of the %s: %v", name, err)
		}
	}
	_, err = s.Send(t.Context(), x.pair.A, bridge.SendRequest{Text: "it goes on"})
	must(t, err)
}
