package cli_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// TestKilledServers kills `bridge serve` of a sender and of two readers of one session
// at random moments, while the agents behave as real ones would: a sender repeats what
// was not acknowledged, with the same idempotency key, and readers start again. Nothing
// acknowledged may be lost, nothing may be delivered twice unless it is marked, and the
// order must be kept.
func TestKilledServers(t *testing.T) {
	t.Parallel()
	kills := int64(40)
	if more, err := strconv.ParseInt(os.Getenv("SERVER_KILLS"), 10, 64); err == nil {
		kills = more // make test-long
	}
	i := install(t)
	a, b := i.pair(t)
	h := &killer{installation: i, kills: kills}
	var received journal
	var readers, senders sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() { h.read(b, &received, stop) })
	}
	var acknowledged atomic.Int64
	senders.Go(func() { acknowledged.Store(h.send(t, a)) })
	senders.Wait()
	received.await(acknowledged.Load())
	close(stop)
	readers.Wait()

	if h.killed.Load() < kills {
		t.Errorf("only %d of %d kills", h.killed.Load(), kills)
	}
	for _, problem := range received.problems(acknowledged.Load()) {
		t.Error(problem)
	}
	t.Logf("%d kills, %d messages acknowledged, %d delivered again", h.killed.Load(), acknowledged.Load(), received.again)
	if out := i.run(t, "audit", "verify"); !strings.HasPrefix(out, "ok") {
		t.Error(out)
	}
	i.run(t, "doctor") // fails if SQLite finds damage
}

// killer kills servers until it has done so often enough.
type killer struct {
	*installation
	kills  int64
	killed atomic.Int64
}

// during runs work with a server that is killed at a random moment.
func (h *killer) during(c bridge.Credentials, work func(*client) error) {
	server, err := h.connect(context.Background(), c)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	if h.killed.Load() < h.kills {
		shot := time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() {
			if kill(server.process) {
				h.killed.Add(1)
			}
		})
		defer shot.Stop()
	}
	for work(server) == nil {
	}
}

func kill(process *exec.Cmd) bool { return process.Process.Kill() == nil }

// send sends numbered messages until there were enough kills, and returns how many were
// acknowledged. It retries each message until it is.
func (h *killer) send(t *testing.T, a bridge.Credentials) int64 {
	t.Helper()
	next, done := int64(1), false
	for !done {
		h.during(a, func(c *client) error {
			if done = h.killed.Load() >= h.kills; done {
				return context.Canceled
			}
			args := map[string]any{"message": fmt.Sprint(next), "idempotency_key": fmt.Sprint("key ", next)}
			data, failed, err := c.call(context.Background(), "send_to_partner", args)
			switch {
			case err != nil:
				return err
			case failed:
				t.Errorf("send refused: %v", data)
				return context.Canceled
			case data["seq"] != float64(next):
				t.Errorf("message %d got the number %v", next, data["seq"])
			}
			next++
			return nil
		})
	}
	return next - 1
}

// read reads messages until stop is closed.
func (h *killer) read(b bridge.Credentials, j *journal, stop <-chan struct{}) {
	for {
		h.during(b, func(c *client) error {
			select {
			case <-stop:
				return context.Canceled
			default:
			}
			data, _, err := c.call(context.Background(), "check_messages", map[string]any{"wait_seconds": 1})
			if err != nil {
				return err
			}
			j.note(data)
			return nil
		})
		select {
		case <-stop:
			return
		default:
		}
	}
}

// journal records what the readers of a session received, in order.
type journal struct {
	mu       sync.Mutex
	arrivals []arrival
	seen     map[int64]bool
	again    int
}

type arrival struct {
	seq         int64
	redelivered bool
	text        string
}

func (j *journal) note(data map[string]any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.seen == nil {
		j.seen = map[int64]bool{}
	}
	messages, _ := data["messages"].([]any)
	for _, m := range messages {
		m := m.(map[string]any)
		a := arrival{int64(m["seq"].(float64)), m["redelivered"].(bool), m["message"].(string)}
		j.arrivals = append(j.arrivals, a)
		j.seen[a.seq] = true
	}
}

// await waits until messages 1 to n have arrived, or until a timeout.
func (j *journal) await(n int64) {
	bridgetest.Polled(func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return int64(len(j.seen)) >= n
	})
}

// problems returns violations of the delivery promise for messages 1 to n. The two
// readers record their answers in any order, so the order is judged by the messages
// that were new to both.
func (j *journal) problems(n int64) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []string
	first := map[int64]bool{}
	for _, a := range j.arrivals {
		switch {
		case a.text != fmt.Sprint(a.seq):
			found = append(found, fmt.Sprintf("message %d says %q", a.seq, a.text))
		case first[a.seq] && !a.redelivered:
			found = append(found, fmt.Sprintf("message %d came twice and was not marked", a.seq))
		case first[a.seq]:
			j.again++
		}
		first[a.seq] = true
	}
	for seq := int64(1); seq <= n; seq++ {
		if !first[seq] {
			found = append(found, fmt.Sprintf("message %d was acknowledged and never came", seq))
		}
	}
	return found
}

// TestJournalFinds checks that problems detects violations.
func TestJournalFinds(t *testing.T) {
	message := func(seq int64, redelivered bool) map[string]any {
		return map[string]any{"messages": []any{map[string]any{"seq": float64(seq), "redelivered": redelivered, "message": fmt.Sprint(seq)}}}
	}
	for name, c := range map[string]struct {
		arrivals []map[string]any
		want     int
	}{
		"all well":        {[]map[string]any{message(1, false), message(2, false), message(3, false)}, 0},
		"marked again":    {[]map[string]any{message(1, false), message(1, true), message(2, false), message(3, false)}, 0},
		"lost":            {[]map[string]any{message(1, false), message(3, false)}, 1},
		"twice, unmarked": {[]map[string]any{message(1, false), message(2, false), message(2, false), message(3, false)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var j journal
			for _, data := range c.arrivals {
				j.note(data)
			}
			if got := j.problems(3); len(got) != c.want {
				t.Errorf("found %q", got)
			}
		})
	}
}
