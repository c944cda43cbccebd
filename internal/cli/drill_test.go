package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestDrill rehearses a disaster: agents send continuously, a backup is made meanwhile,
// everything but the backup and the key is lost, the backup is restored, its log is
// verified, and the agents continue. Everything that was acknowledged before the backup
// began must be there, and the restored messages must have no gaps.
func TestDrill(t *testing.T) {
	t.Parallel()
	t.Run("a file", func(t *testing.T) { newDrill(t, install(t)).run(t) })
	t.Run("PostgreSQL", func(t *testing.T) {
		server := postgrestest.ForTest(t)
		d := newDrill(t, install(t, "BRIDGE_DB="+server.Schema()))
		d.env = append(d.env, "XDG_STATE_HOME="+filepath.Join(d.dir, "state"))
		d.installation.run(t, "store", "init")
		d.elsewhere = "BRIDGE_DB=" + server.Schema()
		d.run(t)
	})
}

type drill struct {
	*installation
	elsewhere string // setting of another store to restore into; "" for the same
	senders   []*drillSender
}

// drillSender sends numbers until it is told to stop.
type drillSender struct {
	a, b         bridge.Credentials
	acknowledged atomic.Int64
	program      *client
}

func newDrill(t *testing.T, i *installation) *drill {
	t.Helper()
	return &drill{installation: i}
}

func (d *drill) run(t *testing.T) {
	var sending sync.WaitGroup
	for range 2 {
		s := new(drillSender)
		s.a, s.b = d.pair(t)
		s.program = d.mustConnect(t, s.a)
		d.senders = append(d.senders, s)
		sending.Go(s.send)
	}
	d.await(func(*drillSender) int64 { return 20 })
	before := d.acknowledged()
	folder, head := d.backUp(t)
	then := d.acknowledged()
	d.await(func(s *drillSender) int64 { return then[s] + 5 }) // the backup need not contain this one
	for _, s := range d.senders {
		_ = s.program.process.Process.Kill()
	}
	sending.Wait()

	d.loseAll(t)
	d.installation.run(t, "restore", "--check", folder, "--key", d.keptKey())
	d.installation.run(t, "restore", folder, "--key", d.keptKey())
	if out := d.installation.run(t, "audit", "verify", "--expect", head); !strings.HasPrefix(out, "ok") {
		t.Error(out)
	}
	for _, s := range d.senders {
		d.continueWork(t, s, before[s])
	}
}

func (s *drillSender) send() {
	for n := int64(1); ; n++ {
		_, failed, err := s.program.call(context.Background(), "send_to_partner", map[string]any{"message": fmt.Sprint(n)})
		if failed || err != nil {
			return
		}
		s.acknowledged.Store(n)
	}
}

// await waits until each sender has as many acknowledged messages as want says.
func (d *drill) await(want func(*drillSender) int64) {
	bridgetest.Polled(func() bool {
		for _, s := range d.senders {
			if s.acknowledged.Load() < want(s) {
				return false
			}
		}
		return true
	})
}

func (d *drill) acknowledged() map[*drillSender]int64 {
	all := map[*drillSender]int64{}
	for _, s := range d.senders {
		all[s] = s.acknowledged.Load()
	}
	return all
}

func (d *drill) backUp(t *testing.T) (folder, head string) {
	t.Helper()
	var made struct {
		Folder   string
		Manifest struct {
			Head string `json:"audit_head"`
		}
	}
	if err := json.Unmarshal([]byte(d.installation.run(t, "backup", filepath.Join(d.dir, "kept"), "--json")), &made); err != nil {
		t.Fatal(err)
	}
	return made.Folder, made.Manifest.Head
}

func (d *drill) keptKey() string { return filepath.Join(d.dir, "kept.key") }

// loseAll removes everything of the store except its key and the backup.
func (d *drill) loseAll(t *testing.T) {
	t.Helper()
	state := filepath.Join(d.dir, "state")
	keys, err := fs.Glob(os.DirFS(state), "bridge.key")
	if len(keys) == 0 {
		keys, err = fs.Glob(os.DirFS(state), "bridge/*/bridge.key")
	}
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	key, err := os.ReadFile(filepath.Join(state, keys[0]))
	if err == nil {
		err = os.WriteFile(d.keptKey(), key, 0o600)
	}
	if err := errors.Join(err, os.RemoveAll(state)); err != nil {
		t.Fatal(err)
	}
	if d.elsewhere != "" {
		d.env = append(d.env, d.elsewhere)
	}
}

// continueWork reads what a partner was sent, which must include the first messages, and lets
// both continue with the tokens that they have.
func (d *drill) continueWork(t *testing.T, s *drillSender, before int64) {
	t.Helper()
	var received journal
	b := d.mustConnect(t, s.b)
	for {
		data := b.mustCall(t, "check_messages", map[string]any{})
		if messages, _ := data["messages"].([]any); len(messages) == 0 {
			break
		}
		received.note(data)
	}
	held := int64(len(received.seen))
	if held < before {
		t.Errorf("%d messages were acknowledged before the backup began, %d are there", before, held)
	}
	for _, problem := range received.problems(held) {
		t.Error(problem)
	}
	t.Logf("%d acknowledged before the backup, %d in it, %d in all", before, held, s.acknowledged.Load())
	sent := d.mustConnect(t, s.a).mustCall(t, "send_to_partner", map[string]any{"message": fmt.Sprint(held + 1)})
	if sent["seq"] != float64(held+1) {
		t.Errorf("the next message got the number %v, want %d", sent["seq"], held+1)
	}
	received.note(b.mustCall(t, "check_messages", map[string]any{"wait_seconds": 1}))
	for _, problem := range received.problems(held + 1) {
		t.Error(problem)
	}
}
