package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestWhoHoldsTheStore checks that a writer that has to wait reports which process it
// waits for, and whether that process is stopped.
func TestWhoHoldsTheStore(t *testing.T) {
	t.Parallel()
	e := newStore(t)
	holder := start(t, "writing", e.Path)
	holder.line(t)
	must(t, holder.Process.Signal(syscall.SIGSTOP))
	defer func() { _ = holder.Process.Signal(syscall.SIGCONT) }()

	told := make(chan bridge.Holder, 10)
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Waiting: func(h bridge.Holder) { told <- h }})
	must(t, err)
	defer func() { must(t, store.Close()) }()
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	// The holder is reported after two seconds of waiting. On a heavily loaded machine
	// the call may hardly have begun by then, so it is repeated with a longer limit.
	for limit := 3 * time.Second; len(told) == 0 && limit < time.Minute; limit *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		_, err = s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
		cancel()
	}
	var busy *bridge.BusyError
	if !errors.As(err, &busy) || !errors.Is(err, bridge.ErrStoreBusy) {
		t.Fatalf("got %v, want a BusyError", err)
	}
	want := bridge.Holder{PID: holder.Process.Pid, Program: "sqlite.test", Stopped: true}
	if busy.Holder.PID != want.PID || !busy.Holder.Stopped || busy.Holder.Program == "" {
		t.Errorf("got %+v, want %+v", busy.Holder, want)
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("kill -CONT %d", want.PID)) {
		t.Errorf("it does not say what to do: %v", err)
	}
	if len(told) != 1 {
		t.Errorf("told %d times, want once", len(told))
	}
}

// TestWaitForMailEndsUnderAHeldStore checks that a wait for mail ends on time although
// another process holds the store.
func TestWaitForMailEndsUnderAHeldStore(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	defer func() { must(t, store.Close()) }()
	p := bridgetest.NewPair(t, s)
	_, err = s.Send(t.Context(), p.A, bridge.SendRequest{Text: "hello"})
	must(t, err)
	holder := start(t, "writing", e.Path)
	holder.line(t)
	defer holder.begin(t)

	// Of several calls of one process, one waits for the other process and the rest
	// wait for that call.
	const calls = 3
	ended := make(chan error, calls)
	for range calls {
		go func() {
			_, err := s.Check(t.Context(), p.B, bridge.CheckRequest{Wait: time.Second}, nil)
			ended <- err
		}()
	}
	giveUp := time.After(20 * time.Second) // an earlier version took 30 more
	for range calls {
		select {
		case err := <-ended:
			if !errors.Is(err, bridge.ErrStoreBusy) {
				t.Errorf("got %v, want ErrStoreBusy", err)
			}
		case <-giveUp:
			t.Fatal("the wait did not end")
		}
	}
}
