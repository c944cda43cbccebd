//go:build unix

package sqlite_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// These benchmarks measure whole operations as agents cause them, with proof, limits
// and audit entry.

// inhabited returns a service with a conversation and with limits of the usual form,
// set so high that no benchmark reaches them.
func inhabited(b *testing.B) (*bridgetest.Env, *bridge.Service, bridgetest.Pair) {
	b.Helper()
	e := bridgetest.NewEnv(b)
	s := e.Service(b, func(c *bridge.Config) { c.Now = nil })
	limits := bridge.DefaultLimits()
	limits.Writes.PerMinute, limits.Writes.PerHour, limits.Writes.PerDay = math.MaxInt32, math.MaxInt32, math.MaxInt32
	limits.Reads = limits.Writes
	bridgetest.SetLimits(b, s, limits)
	return e, s, bridgetest.NewPair(b, s)
}

var text = strings.Repeat("The build is green, please review. ", 6)

func send(b *testing.B, s *bridge.Service, c bridge.Credentials, text string) {
	b.Helper()
	if _, err := s.Send(context.Background(), c, bridge.SendRequest{Text: text}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSend(b *testing.B) {
	_, s, p := inhabited(b)
	for b.Loop() {
		send(b, s, p.A, text)
	}
}

func BenchmarkSendWithKey(b *testing.B) {
	_, s, p := inhabited(b)
	n := 0
	for b.Loop() {
		n++
		_, err := s.Send(context.Background(), p.A, bridge.SendRequest{Text: text, IdempotencyKey: strconv.Itoa(n)})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck measures the whole life of a message: sent, checked, confirmed.
func BenchmarkCheck(b *testing.B) {
	_, s, p := inhabited(b)
	for b.Loop() {
		send(b, s, p.A, text)
		d, err := s.Check(context.Background(), p.B, bridge.CheckRequest{}, nil)
		if err != nil || len(d.Messages) != 1 {
			b.Fatal(len(d.Messages), err)
		}
		if err := s.Confirm(context.Background(), d.Claim); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckEmpty(b *testing.B) {
	_, s, p := inhabited(b)
	for b.Loop() {
		if _, err := s.Check(context.Background(), p.B, bridge.CheckRequest{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdateStatus(b *testing.B) {
	_, s, p := inhabited(b)
	for b.Loop() {
		if _, err := s.UpdateStatus(context.Background(), p.B, bridge.StatusWorking); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefuse(b *testing.B) {
	_, s, p := inhabited(b)
	p.A.Token = strings.Repeat("0", len(p.A.Token))
	for b.Loop() {
		_, _ = s.CheckPartners(context.Background(), p.A, "")
	}
}

// BenchmarkOpen opens and closes an existing store, which is most of what a process
// does when it starts.
func BenchmarkOpen(b *testing.B) {
	e, s, p := inhabited(b)
	send(b, s, p.A, text)
	for b.Loop() {
		store, err := sqlite.Open(context.Background(), e.Path, sqlite.Options{Key: e.Key, Create: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeliverAcrossProcesses sends to another process that waits in a long poll.
// It reports the time from the call of Send until the other process has the message and
// its claim is durable.
func BenchmarkDeliverAcrossProcesses(b *testing.B) {
	e, _, p := inhabited(b)
	s := benchService(b, e) // with doorbells
	waiter := start(b, "waiter", arguments(e, p.B)...)
	waiter.line(b) // it is ready
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		time.Sleep(time.Millisecond) // until it is waiting again
		b.StartTimer()
		send(b, s, p.A, fmt.Sprint(time.Now().UnixNano()))
		us, err := strconv.ParseInt(waiter.line(b), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Duration(us)*time.Microsecond)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-us")
}

func benchService(b *testing.B, e *bridgetest.Env) *bridge.Service {
	b.Helper()
	s, store, err := openChild(e.Path, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	return s
}

// waiterChild waits for messages whose text is the time of sending, and prints the age
// of each on arrival, in microseconds. With a fifth argument its clock stands still at
// that time.
func waiterChild(args []string) error {
	var now func() time.Time
	if len(args) > 4 {
		at, err := time.Parse(time.RFC3339, args[4])
		if err != nil {
			return err
		}
		now = func() time.Time { return at }
	}
	s, _, err := openChild(args[0], now)
	if err != nil {
		return err
	}
	ctx, c := context.Background(), credentials(args[1:])
	fmt.Println("ready")
	for {
		d, err := s.Check(ctx, c, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, m := range d.Messages {
			sent, err := strconv.ParseInt(m.Text, 10, 64)
			if err != nil {
				return err
			}
			if err := s.Confirm(ctx, d.Claim); err != nil {
				return err
			}
			fmt.Println(now.Sub(time.Unix(0, sent)).Microseconds())
		}
	}
}

// BenchmarkSendAmong and BenchmarkCheckAmong show that the size of the store does not
// matter. BenchmarkCheckAmong also sends what it checks. Filling in a million messages
// takes a minute, so -short uses fewer.
func BenchmarkSendAmong(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			_, s, p := populated(b, n)
			for b.Loop() {
				send(b, s, p.A, text)
			}
		})
	}
}

// BenchmarkSendByContent shows that a text full of strings that look like tokens costs
// as much among many live conversations as among few, because tokens are found through
// an index. Compare the ratios within one run.
func BenchmarkSendByContent(b *testing.B) {
	var digests, encoded, paths strings.Builder
	for i := range 20 {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		fmt.Fprintf(&digests, "%064x ", sum)
		encoded.WriteString(base64.StdEncoding.EncodeToString(append(sum[:], sum[:16]...)) + " ")
		fmt.Fprintf(&paths, "/srv/%x/%x/%x.go ", sum[:8], sum[8:16], sum[16:24])
	}
	texts := map[string]string{"words": strings.Repeat("word ", digests.Len()/5), "digests": digests.String(), "base64": encoded.String(), "paths": paths.String()}
	for _, live := range []int{1, 5_000} {
		for name, text := range texts {
			b.Run(fmt.Sprintf("%d/%s", live, name), func(b *testing.B) {
				e, s, p := inhabited(b)
				numbers := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", live)
				query(b, e.Path,
					numbers+`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, expiry_seal, join_expires_at, sessions, copies)
						SELECT printf('conv_%016x', i), '', '', '', 1, 1 << 60, x'', 0, 2, 0 FROM n`,
					numbers+`INSERT INTO session_status (conversation, session, nonce, fingerprint, role, joined_at, seen_at, last_seq, read_seq, handed_seq)
						SELECT printf('conv_%016x', i), 'a', randomblob(16), random(), '', 1, 1, 0, 0, 0 FROM n`)
				for b.Loop() {
					send(b, s, p.A, text)
				}
			})
		}
	}
}

// BenchmarkSendBesideNames shows that a send with file names costs no more when the
// other session has named as many files as it may. Compare the ratios within one run.
func BenchmarkSendBesideNames(b *testing.B) {
	names := func(kind string) (all []string) {
		for i := range bridge.MaxFiles {
			all = append(all, fmt.Sprintf("%s/%d/", kind, i)+strings.Repeat("d/", (bridge.MaxFileNameLength-40)/2)+"x.go")
		}
		return all
	}
	for name, others := range map[string][]string{"none": nil, "most": names("theirs")} {
		b.Run(name, func(b *testing.B) {
			_, s, p := inhabited(b)
			for range bridge.SharedAmong {
				if _, err := s.Send(b.Context(), p.B, bridge.SendRequest{Text: "x", Files: others}); err != nil {
					b.Fatal(err)
				}
			}
			own := names("ours")
			for b.Loop() {
				if _, err := s.Send(b.Context(), p.A, bridge.SendRequest{Text: "x", Files: own}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckAmong(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			_, s, p := populated(b, n)
			for b.Loop() {
				send(b, s, p.A, text)
				d, err := s.Check(context.Background(), p.B, bridge.CheckRequest{Limit: 1}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Confirm(context.Background(), d.Claim); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func sizes(b *testing.B) []int {
	b.Helper()
	if testing.Short() {
		return []int{1_000, 10_000}
	}
	return []int{1_000, 1_000_000}
}

// populated returns a store with n messages of one conversation, half of them read, and
// n entries in its audit log.
func populated(b *testing.B, n int) (*bridgetest.Env, *bridge.Service, bridgetest.Pair) {
	b.Helper()
	e, s, p := inhabited(b)
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	query(b, e.Path,
		fmt.Sprintf(numbers+`INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, idempotency_key, partner_unread)
			SELECT '%s', 'b', i, 'a', 'info', '%s', '[]', '[]', 1, 'k' || i, 1 FROM n`, n, p.A.Conversation, text),
		fmt.Sprintf(numbers+`INSERT INTO audit_log (seq, at, conversation, session, action, outcome, details, mac)
			SELECT i + 2, 1, '%s', 'a', 'send_to_partner', 'ok', '{"action_type":"info","characters":210,"message_id":1,"seq":1}', randomblob(32) FROM n`, n, p.A.Conversation),
		fmt.Sprintf("UPDATE audit_head SET seq = %d, fence = %[1]d", n+2), // after the entries of the limits and of the conversation
		fmt.Sprintf("UPDATE session_status SET last_seq = %d, read_seq = %d, handed_seq = %d WHERE session = 'b'", n, n/2, n/2),
		"PRAGMA wal_checkpoint(TRUNCATE)",
	)
	if info, err := os.Stat(e.Path); err == nil {
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
	return e, s, p
}

// BenchmarkCleanup removes 300,000 messages in 30 conversations while another writer
// sends, and reports the longest time that a send had to wait.
func BenchmarkCleanup(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		e, s, p := inhabited(b)
		for range 30 {
			expired(b, e, 10_000)
		}
		cleaner := bridge.New(bridge.Config{Store: e.Store(b), Key: e.Key})
		b.StartTimer()
		cleaned := make(chan error, 1)
		go func() {
			_, err := cleaner.Cleanup(context.Background(), 0, false)
			cleaned <- err
		}()
		worst := time.Duration(0)
		for running := true; running; {
			at := time.Now()
			send(b, s, p.A, text)
			worst = max(worst, time.Since(at))
			select {
			case err := <-cleaned:
				if err != nil {
					b.Fatal(err)
				}
				running = false
			default:
			}
		}
		b.ReportMetric(float64(worst.Milliseconds()), "worst-send-ms")
	}
}

// expired makes a conversation with n messages that expired an hour ago.
func expired(b *testing.B, e *bridgetest.Env, n int) {
	b.Helper()
	before := e.Service(b, func(c *bridge.Config) { c.Now = func() time.Time { return time.Now().Add(-2 * time.Hour) } })
	c, err := before.Create(context.Background(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", TTL: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	query(b, e.Path,
		fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
			SELECT '%s', 'b', i, 'a', 'info', '%s', '[]', '[]', 1, 1 FROM n`, n, c.ID, text),
		fmt.Sprintf("UPDATE session_status SET last_seq = %d WHERE conversation = '%s' AND session = 'b'", n, c.ID),
	)
}
