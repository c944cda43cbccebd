package figures_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/figures"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestWrite: the text is what the format's description asks for, whatever a label holds.
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

// room is a store and what counts in it.
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
			Bridge: s, Commands: e.Commands(t, s), Tasks: e.Tasks(t, s), Path: e.Path, Program: "v1", VerifyEvery: time.Hour,
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

// expect looks for whole lines.
func expect(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("there is no line %q in:\n%s", line, text)
		}
	}
}

// TestGather: what happens is counted once, and nothing names who it was.
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

// TestBackupAge: the last backup is known.
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

// TestVerified: a log that was changed is seen, at the next time that it is verified.
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

// TestServe: only this machine is answered, under a name of this machine.
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
