package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// keptLog records how much of a store's log has reached the disk.
type keptLog struct {
	mu   sync.Mutex
	size int64 // bytes that survive a power cut
	acks []ack
}

// ack records how much of the log was on the disk when a message was acknowledged.
type ack struct {
	id   int64
	kept int64
}

// flush syncs the log and records its size from before the sync, since what is written
// later may still be lost. Before that it gives others time to write, as a slow disk
// would.
func (k *keptLog) flush(log *os.File) error {
	info, err := log.Stat()
	if err != nil {
		return err
	}
	for range 1000 {
		if later, err := log.Stat(); err != nil || later.Size() > info.Size() {
			break
		}
		runtime.Gosched()
	}
	if err := log.Sync(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.size = max(k.size, info.Size())
	return nil
}

func (k *keptLog) acknowledged(id int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acks = append(k.acks, ack{id, k.size})
}

// TestPowerCutUnderManySenders lets many senders use one store and share its flushes.
// Whenever the power fails, everything acknowledged until then must be on the disk.
func TestPowerCutUnderManySenders(t *testing.T) {
	t.Parallel()
	const senders, each = 12, 6
	e := bridgetest.NewEnv(t)
	kept := &keptLog{}
	store, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{Key: e.Key, Create: true, Flush: kept.flush})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
	pairs := make([]bridgetest.Pair, senders)
	for n := range pairs {
		pairs[n] = bridgetest.NewPair(t, s)
	}
	begun := walHeader(t, e.Path)
	var sending sync.WaitGroup
	for n, p := range pairs {
		sending.Go(func() {
			for i := range each {
				sent, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: fmt.Sprint(n, i)})
				if err != nil {
					t.Error(err)
					return
				}
				kept.acknowledged(sent.ID)
			}
		})
	}
	sending.Wait()
	if len(kept.acks) != senders*each {
		t.Fatalf("%d acknowledged", len(kept.acks))
	}
	if walHeader(t, e.Path) != begun {
		t.Fatal("the log was restarted, so its size means nothing: send less")
	}
	for n := 0; n < len(kept.acks); n += 4 {
		there := afterPowerCut(t, e.Path, kept.acks[n].kept)
		for _, a := range kept.acks[:n+1] {
			if !there[a.id] {
				t.Errorf("a power cut after %d acknowledged messages loses message %d", n+1, a.id)
			}
		}
	}
}

// walHeader is the beginning of a log, which changes when the log is restarted.
func walHeader(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:32])
}

// afterPowerCut returns the messages of a store of which the disk has only the first
// bytes of the log.
func afterPowerCut(t *testing.T, path string, kept int64) map[int64]bool {
	t.Helper()
	cut := filepath.Join(t.TempDir(), "cut.db")
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix != "" {
			text = text[:kept]
		}
		if err := os.WriteFile(cut+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", cut)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT id FROM messages")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	there := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		there[id] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return there
}
