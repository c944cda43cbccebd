//go:build unix

package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite/storefile"
)

func TestManyProcessesStartTogetherOnANewStore(t *testing.T) {
	t.Parallel()
	processes := 100
	if testing.Short() {
		processes = 20
	}
	path := filepath.Join(t.TempDir(), "state", "bridge.db")
	all := make([]*child, processes)
	for i := range all {
		all[i] = start(t, "start", path)
	}
	for _, c := range all {
		c.begin(t)
	}
	for _, c := range all {
		c.lines(t)
	}
	s, store, err := openChild(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	conversations, err := s.Conversations(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(conversations) != processes {
		t.Errorf("got %d conversations, want %d", len(conversations), processes)
	}
	for _, c := range conversations {
		if c.Sessions[1].Unread != 1 {
			t.Errorf("%s: %d messages, want 1", c.ID, c.Sessions[1].Unread)
		}
	}
	if head, err := s.VerifyAudit(context.Background(), audit.Head{}); err != nil || head.Seq != int64(2*processes) {
		t.Errorf("audit head %d, %v", head.Seq, err)
	}
}

func TestEightProcessesReadEachMessageOnceInOrder(t *testing.T) {
	t.Parallel()
	const messages = 500
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	s := e.Service(t, func(c *bridge.Config) { c.Now = nil })
	p := bridgetest.NewPair(t, s)
	for i := range messages {
		if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	all := make([]*child, 8)
	for i := range all {
		all[i] = start(t, "drain", arguments(e, p.B)...)
	}
	for _, c := range all {
		c.line(t) // it is ready
	}
	for _, c := range all {
		c.begin(t)
	}
	type delivered struct{ claim, seq int64 }
	var got []delivered
	readers := 0
	for _, c := range all {
		lines := c.lines(t)
		if lines[0] != "" {
			readers++
		}
		for _, line := range lines {
			if line == "" {
				continue
			}
			var d delivered
			var again bool
			if _, err := fmt.Sscan(line, &d.claim, &d.seq, &again); err != nil {
				t.Fatal(err)
			}
			if again {
				t.Errorf("message %d was redelivered without a crash", d.seq)
			}
			got = append(got, d)
		}
	}
	slices.SortStableFunc(got, func(a, b delivered) int { return int(a.claim - b.claim) })
	if len(got) != messages {
		t.Fatalf("%d deliveries, want %d", len(got), messages)
	}
	for i, d := range got {
		if d.seq != int64(i+1) {
			t.Fatalf("delivery %d is of message %d", i+1, d.seq)
		}
	}
	t.Logf("%d of 8 processes read something", readers)
}

func TestTurnstileLetsOneThroughAtATime(t *testing.T) {
	t.Parallel()
	const processes, times = 4, 250
	path := filepath.Join(t.TempDir(), "counter")
	write(t, path, "0")
	all := make([]*child, processes)
	for i := range all {
		all[i] = start(t, "count", path, strconv.Itoa(times))
	}
	for _, c := range all {
		c.begin(t)
	}
	for _, c := range all {
		c.lines(t)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != strconv.Itoa(processes*times) {
		t.Errorf("counted %s, %v, want %d", text, err, processes*times)
	}
}

func TestKilledHolderFreesTheTurnstile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	holder := start(t, "hold", path)
	holder.line(t)
	entered := make(chan error, 1)
	turnstile := storefile.NewTurnstile(path, time.Hour) // no timeout
	go func() {
		leave, err := turnstile.Enter(context.Background())
		if err == nil {
			leave()
		}
		entered <- err
	}()
	select {
	case err := <-entered:
		t.Fatal("two were admitted at the same time:", err)
	case <-time.After(20 * time.Millisecond): // not needed for the test to pass
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-entered; err != nil {
		t.Error(err)
	}
	if err := turnstile.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelledWaitForTheTurnstile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	holder := start(t, "hold", path)
	holder.line(t)
	turnstile := storefile.NewTurnstile(path, time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := turnstile.Enter(ctx); err != context.Canceled { //nolint:errorlint // not even wrapped
		t.Errorf("got %v", err)
	}
}

func TestStoppedHolderDoesNotStopTheOthers(t *testing.T) {
	const writes = 30
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	store := e.Store(t)
	store.SetTurnTimeout(10 * time.Millisecond)
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	p := bridgetest.NewPair(t, s)

	holder := start(t, "hold", e.Path)
	holder.line(t)
	if err := holder.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for range writes {
		if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	// Each of the two lock files has at most one waiting goroutine and one that closes
	// the file after it.
	if now := runtime.NumGoroutine(); now > before+4 {
		t.Errorf("%d writes left %d goroutines behind", writes, now-before)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	// The abandoned waiter gets its turn and releases it; then the turnstile works as
	// before, including for another process.
	other := storefile.NewTurnstile(e.Path, time.Hour)
	leave, err := other.Enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Error(err)
	}
}
