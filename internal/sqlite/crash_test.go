//go:build unix

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// TestKilledProcesses kills senders and receivers at random moments, again and again,
// while all work at full speed, in a conversation of two and in one of four where each
// message goes to all others.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	kills := 60
	if more, err := strconv.Atoi(os.Getenv("STORE_KILLS")); err == nil {
		kills = more // make test-long
	}
	e := bridgetest.NewEnv(t)
	s := e.Service(t, func(c *bridge.Config) { c.Now = hastyClock })
	r := &rack{t: t}
	pair := bridgetest.NewRoom(t, s, 2)
	room := bridgetest.NewRoom(t, s, 4)
	for _, all := range [][]bridge.Credentials{pair, room} {
		if _, err := s.Extend(t.Context(), all[0], bridge.MaxTTL); err != nil {
			t.Fatal(err)
		}
		r.add("sender", arguments(e, all[0]))
		r.add("sender", arguments(e, all[0]))
		for _, c := range all[1:] {
			r.add("receiver", arguments(e, c))
		}
	}
	r.add("receiver", arguments(e, pair[1]))
	for n := range kills {
		// Traffic must have begun before each kill, however slow the machine is.
		bridgetest.Eventually(t, "one more message is acknowledged", func() bool { return r.acknowledged() > n })
		time.Sleep(rand.N(60 * time.Millisecond)) // the random moments
		r.replace(rand.N(len(r.running)))
	}
	r.stop()
	for _, c := range slices.Concat(pair[1:], room[1:]) {
		r.record(drain(t, s, c))
	}

	acks, gots := r.counts()
	t.Logf("%d kills, %d messages acknowledged, %d deliveries", kills, acks, gots)
	if acks < kills || gots < acks {
		t.Errorf("only %d messages acknowledged and %d delivered: too few to show anything", acks, gots)
	}
	for i, fault := range faults(r.history) {
		if i < 20 {
			t.Error(fault)
		}
	}
	if _, err := s.VerifyAudit(context.Background(), audit.Head{}); err != nil {
		t.Error(err)
	}
	checkIntegrity(t, e.Path)
	checkNothingLeft(t, filepath.Dir(e.Path))
}

// drain reads the rest of a session's mail.
func drain(t *testing.T, s *bridge.Service, c bridge.Credentials) string {
	t.Helper()
	ctx := context.Background()
	var lines strings.Builder
	for {
		d, err := s.Check(ctx, c, bridge.CheckRequest{Limit: bridge.MaxPage}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Messages) == 0 {
			return lines.String()
		}
		lines.Write(answer(c, d))
		if err := s.Confirm(ctx, d.Claim); err != nil {
			t.Fatal(err)
		}
	}
}

func checkIntegrity(t testing.TB, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, check := range []string{"PRAGMA integrity_check", "SELECT coalesce(group_concat(\"table\"), 'ok') FROM pragma_foreign_key_check"} {
		var result string
		if err := db.QueryRow(check).Scan(&result); err != nil || result != "ok" {
			t.Errorf("%s: %s, %v", check, result, err)
		}
	}
}

// checkNothingLeft fails the test if there are files other than those of a store.
func checkNothingLeft(t *testing.T, dir string) {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		switch base := filepath.Base(name); {
		case strings.HasPrefix(base, "bridge."), base == "bells":
		default:
			t.Errorf("%s was left behind", base)
		}
	}
}

// rack is a set of running children.
type rack struct {
	t       *testing.T
	running []racked

	mutex   sync.Mutex
	history []event
}

type racked struct {
	*child
	name string
	args []string
	read <-chan struct{} // closed when all output has been recorded
}

func (r *rack) add(name string, args []string) { r.running = append(r.running, r.start(name, args)) }

func (r *rack) start(name string, args []string) racked {
	c := start(r.t, name, args...)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			line, err := c.stdout.ReadString('\n')
			if err != nil {
				if !errors.Is(err, io.EOF) {
					r.t.Error(err)
				}
				return // an incomplete last line was not written whole
			}
			r.record(line)
		}
	}()
	return racked{child: c, name: name, args: args, read: read}
}

// replace kills a child and starts another one in its place.
func (r *rack) replace(i int) {
	old := r.running[i]
	r.kill(old)
	r.running[i] = r.start(old.name, old.args)
}

func (r *rack) kill(c racked) {
	if err := c.Process.Kill(); err != nil {
		r.t.Error(err)
	}
	<-c.read
	if err := c.Wait(); c.ProcessState.Exited() { // it exited by itself before it was killed
		r.t.Errorf("%s ended by itself: %v: %s", c.name, err, c.stderr)
	}
}

func (r *rack) stop() {
	for _, c := range r.running {
		r.kill(c)
	}
}

func (r *rack) record(lines string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for line := range strings.Lines(lines) {
		e, err := parseEvent(line)
		if err != nil {
			r.t.Errorf("%q: %v", line, err)
			continue
		}
		r.history = append(r.history, e)
	}
}

// acknowledged returns the number of messages acknowledged so far.
func (r *rack) acknowledged() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	acks, _ := r.counts()
	return acks
}

func (r *rack) counts() (acks, gots int) {
	for _, e := range r.history {
		if e.kind == "ack" {
			acks++
		} else {
			gots++
		}
	}
	return acks, gots
}
