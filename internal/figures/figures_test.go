package figures_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/figures"
	"example.org/bridge/internal/ratelimit"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestWrite checks that the text follows the specification of the format, whatever a
// label contains.
func TestWrite(t *testing.T) {
	var text bytes.Buffer
	must(t, figures.Write(&text, []figures.Family{
		{Name: "b_total", Help: "Of things.", Kind: figures.Counter, Samples: []figures.Sample{
			{Labels: []string{"kind", "z", "end", "ok"}, Value: 2}, {Labels: []string{"kind", "a\"\\\n\xff", "end", "no"}, Value: 1.5},
		}},
		{Name: "none", Help: "Nothing.", Kind: figures.Gauge},
		{Name: "a", Help: "One.", Kind: figures.Gauge, Samples: []figures.Sample{{Value: 1e12}}},
	}))
	const want = `# HELP b_total Of things.
# TYPE b_total counter
b_total{kind="a\"\\\n` + "\uFFFD" + `",end="no"} 1.5
b_total{kind="z",end="ok"} 2
# HELP a One.
# TYPE a gauge
a 1000000000000
`
	if text.String() != want {
		t.Errorf("written:\n%s", text.String())
	}
}

// room is a store with a Collector.
type room struct {
	*figures.Collector
	env   *bridgetest.Env
	pair  bridgetest.Pair
	clock *bridgetest.Clock
}

func newRoom(t *testing.T) room {
	t.Helper()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	return room{
		&figures.Collector{
			Bridge: s, Commands: e.Commands(t, s), Tasks: e.Tasks(t, s), Claims: claims.New(s, e.Store(t)), Path: e.Path, Program: "v1", VerifyEvery: time.Hour,
		},
		e, bridgetest.NewPair(t, s), e.Clock,
	}
}

func (r room) text(t *testing.T) string {
	t.Helper()
	all, err := r.Gather(t.Context(), r.clock.Now())
	must(t, err)
	var text bytes.Buffer
	must(t, figures.Write(&text, all))
	return text.String()
}

// expect checks that the text contains whole lines.
func expect(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("there is no line %q in:\n%s", line, text)
		}
	}
}

// TestGather checks that every event is counted once, and that no figure names
// who caused it.
func TestGather(t *testing.T) {
	r := newRoom(t)
	expect(t, r.text(t), `bridge_build_info{version="v1"} 1`, `bridge_conversations{state="live"} 1`, `bridge_agents{state="alive"} 1`,
		`bridge_agents{state="not_joined"} 1`, "bridge_messages_unread 0", `bridge_calls_total{action="create_conversation",outcome="ok"} 1`,
		"bridge_audit_verified 1", "bridge_approvals_waiting 0", `bridge_tasks{state="running"} 0`)

	for _, text := range []string{"one", "the password is PASSWORD=" + strings.Repeat("xK9#", 5)} {
		_, err := r.Bridge.Send(t.Context(), r.pair.A, bridge.SendRequest{Text: text})
		must(t, err)
	}
	wrong := r.pair.A
	wrong.Token = strings.Repeat("0", 64)
	if _, err := r.Bridge.Send(t.Context(), wrong, bridge.SendRequest{Text: "x"}); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Fatal(err)
	}
	text := r.text(t)
	expect(t, text, "bridge_messages_unread 2", `bridge_messages_total{sender="a"} 2`, `bridge_redacted_messages_total{kind="PASSWORD"} 1`,
		`bridge_calls_total{action="send_to_partner",outcome="ok"} 2`)
	if again := r.text(t); again != text {
		t.Errorf("counted again:\n%s\nand before:\n%s", again, text)
	}
	for _, secret := range []string{r.pair.A.Conversation, r.pair.A.Token, "xK9", "backend", r.Path} {
		if strings.Contains(text, secret) {
			t.Errorf("the figures hold %q", secret)
		}
	}

	r.clock.Advance(3 * time.Minute)
	expect(t, r.text(t), `bridge_agents{state="silent"} 1`)
}

// TestDelays checks that the delivery time of each message is counted once, in the right
// bucket, and that messages the operator has not seen are counted.
func TestDelays(t *testing.T) {
	r := newRoom(t)
	send := func(text string) {
		_, err := r.Bridge.Send(t.Context(), r.pair.A, bridge.SendRequest{Text: text})
		must(t, err)
	}
	send("one")
	expect(t, r.text(t), `bridge_delivery_delay_seconds_bucket{le="+Inf"} 0`, "bridge_delivery_delay_seconds_sum 0", "bridge_operator_unread 1")
	r.clock.Advance(3 * time.Second)
	send("two")
	r.clock.Advance(2 * time.Second)
	d, err := r.Bridge.Check(t.Context(), r.pair.B, bridge.CheckRequest{}, nil)
	must(t, err)
	must(t, r.Bridge.Confirm(t.Context(), d.Claim))
	for range 2 {
		expect(t, r.text(t), `bridge_delivery_delay_seconds_bucket{le="1"} 0`, `bridge_delivery_delay_seconds_bucket{le="5"} 2`,
			`bridge_delivery_delay_seconds_bucket{le="+Inf"} 2`, "bridge_delivery_delay_seconds_sum 7", "bridge_delivery_delay_seconds_count 2", "bridge_operator_unread 2")
	}
	must(t, r.Bridge.RecordReading(t.Context(), r.pair.A.Conversation))
	expect(t, r.text(t), "bridge_operator_unread 0")
}

// TestClaims checks that the claims in force are counted.
func TestClaims(t *testing.T) {
	r := newRoom(t)
	_, err := r.Claims.Take(t.Context(), r.pair.A, claims.Request{Paths: []string{"a.go", "b.go"}})
	must(t, err)
	_, err = r.Claims.Take(t.Context(), r.pair.A, claims.Request{Paths: []string{"c.go"}, Shared: true})
	must(t, err)
	expect(t, r.text(t), `bridge_claims{kind="exclusive"} 2`, `bridge_claims{kind="shared"} 1`)
}

// TestLimitsHit checks that every call over a limit is counted, including those that
// the log only counts.
func TestLimitsHit(t *testing.T) {
	r := newRoom(t)
	expect(t, r.text(t), `bridge_limits_hit_total{action="send_to_partner"} 0`)
	limits := bridge.DefaultLimits()
	limits.Writes, limits.Failures = ratelimit.Limit{PerMinute: 1}, ratelimit.Limit{PerMinute: 1}
	bridgetest.SetLimits(t, r.Bridge, limits)
	const refused = 5
	for i := range 1 + refused {
		_, err := r.Bridge.Send(t.Context(), r.pair.A, bridge.SendRequest{Text: "x"})
		if limited := errors.As(err, new(*bridge.RateLimitError)); limited != (i > 0) {
			t.Fatal(i, err)
		}
	}
	r.clock.Advance(2 * time.Minute) // and one more, whose entry includes the number of those before it
	for range 2 {
		_, _ = r.Bridge.Send(t.Context(), r.pair.A, bridge.SendRequest{Text: "x"})
	}
	expect(t, r.text(t), `bridge_limits_hit_total{action="send_to_partner"} 6`)
}

// TestOnServer checks that a store without a file reports its own size.
func TestOnServer(t *testing.T) {
	r := newRoom(t)
	r.Path = ""
	if text := r.text(t); strings.Contains(text, "bridge_log_bytes") || !regexp.MustCompile(`(?m)^bridge_store_bytes [1-9]`).MatchString(text) {
		t.Errorf("the figures are:\n%s", text)
	}
}

// TestCalls checks that durations are counted by call, transport and outcome,
// with concurrent callers.
func TestCalls(t *testing.T) {
	var c figures.Calls
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { c.Add("mcp", "send_to_partner", false, 3*time.Millisecond) })
	}
	all.Wait()
	c.Add("mcp", "send_to_partner", true, 2*time.Minute)
	c.Add("api", "Send", false, time.Millisecond)
	var text bytes.Buffer
	must(t, figures.Write(&text, []figures.Family{c.Family()}))
	const name, sent = "bridge_gateway_call_duration_seconds", `via="mcp",call="send_to_partner",outcome="ok"`
	expect(t, text.String(), "# TYPE "+name+" histogram",
		name+`_bucket{`+sent+`,le="0.0025"} 0`, name+`_bucket{`+sent+`,le="0.005"} 10`, name+`_count{`+sent+`} 10`,
		name+`_bucket{via="mcp",call="send_to_partner",outcome="error",le="60"} 0`, name+`_count{via="mcp",call="send_to_partner",outcome="error"} 1`,
		name+`_bucket{via="api",call="Send",outcome="ok",le="0.001"} 1`)
	if first, last := strings.Index(text.String(), `le="0.001"`), strings.Index(text.String(), `le="+Inf"`); first > last {
		t.Errorf("the bounds do not ascend:\n%s", text.String())
	}
}

// TestBackupAge checks that the time of the last backup is reported.
func TestBackupAge(t *testing.T) {
	r := newRoom(t)
	if text := r.text(t); strings.Contains(text, "bridge_backup") {
		t.Errorf("a backup is counted where none is:\n%s", text)
	}
	found := figures.Backups{}
	r.Backups = func() (figures.Backups, error) { return found, nil }
	if text := r.text(t); strings.Contains(text, "bridge_backup") {
		t.Errorf("a backup is counted where there is none yet:\n%s", text)
	}
	found = figures.Backups{Count: 2, LastMade: time.Unix(1_770_000_000, 0), LastBytes: 4096}
	expect(t, r.text(t), "bridge_backup_timestamp_seconds 1770000000", "bridge_backup_bytes 4096", "bridge_backups 2")
}

// TestVerified checks that a changed log is reported at the next verification.
func TestVerified(t *testing.T) {
	r := newRoom(t)
	expect(t, r.text(t), "bridge_audit_verified 1")
	db, err := sql.Open("sqlite", r.Path)
	must(t, err)
	_, err = db.Exec("UPDATE audit_log SET details = '{}' WHERE seq = 1")
	must(t, errors.Join(err, db.Close()))
	expect(t, r.text(t), "bridge_audit_verified 1")
	r.clock.Advance(time.Hour)
	expect(t, r.text(t), "bridge_audit_verified 0")
}

// TestServe checks that only requests from this machine, under one of its own
// names, are answered.
func TestServe(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:80", ":0"} {
		if _, err := figures.Listen(t.Context(), address); !errors.Is(err, figures.ErrNotLoopback) {
			t.Errorf("%s: %v", address, err)
		}
	}
	r := newRoom(t)
	l, err := figures.Listen(t.Context(), "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := &figures.Server{Collector: r.Collector, Now: r.clock.Now, Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- s.Serve(ctx, l) }()
	for _, tt := range []struct {
		method, path, host string
		code               int
		text               string
	}{
		{"GET", "/metrics", "", 200, "bridge_audit_verified 1"},
		{"GET", "/metrics", "localhost", 200, "bridge_audit_verified 1"},
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/metrics", "evil.example:80", 421, "localhost"},
		{"POST", "/metrics", "", 405, ""},
		{"GET", "/", "", 404, ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+l.Addr().String()+tt.path, http.NoBody)
		must(t, err)
		request.Host = tt.host
		answer, err := http.DefaultClient.Do(request)
		must(t, err)
		text, err := io.ReadAll(answer.Body)
		must(t, errors.Join(err, answer.Body.Close()))
		if answer.StatusCode != tt.code || !strings.Contains(string(text), tt.text) {
			t.Errorf("%s %s for %q: status %d, %s", tt.method, tt.path, tt.host, answer.StatusCode, text)
		}
	}
	stop()
	must(t, <-ended)
}
