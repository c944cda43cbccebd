package cli_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
)

// messagesInHookStore is the number of messages in the store for the benchmark.
const messagesInHookStore = 100_000

// BenchmarkHook measures a hook from its start to its exit, as its client waits for it,
// and how much text it adds to the model's context.
func BenchmarkHook(b *testing.B) {
	i := install(b)
	one := i.hookedPair(b, "reads-all")
	two := i.hookedPair(b, "has-mail")
	i.fill(b, one, two)
	stop := `{"session_id":"%s","cwd":"/","hook_event_name":"Stop","stop_hook_active":false}`
	start := `{"session_id":"%s","cwd":"/","hook_event_name":"SessionStart","source":"startup"}`
	for _, c := range []struct{ name, session, event string }{
		{"no conversation", "unknown", stop},
		{"no mail", "reads-all", stop},
		{"mail that was told", "has-mail", stop},
		{"mail", "has-mail", start},
	} {
		b.Run(c.name, func(b *testing.B) {
			event := strings.Replace(c.event, "%s", c.session, 1)
			i.hook(b, event) // news that is told once has been told by now
			var (
				times []time.Duration
				out   []byte
			)
			for b.Loop() {
				begin := time.Now()
				out = i.hook(b, event)
				times = append(times, time.Since(begin))
			}
			report(b, times)
			b.ReportMetric(float64(len(out))/4, "tokens")
			if c.name != "mail" && len(out) > 0 || c.name == "mail" && len(out) == 0 {
				b.Fatalf("the hook printed %q", out)
			}
		})
	}
}

// hook runs bridge hook claude with an event.
func (i *installation) hook(tb testing.TB, event string) []byte {
	tb.Helper()
	c := i.command("hook", "claude", "--time-limit", "30s") // the slowest counts as well
	c.Stdin = strings.NewReader(event)
	out, err := c.Output()
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.TrimSpace(out)
}

// hookedPair creates a conversation in a session of Claude Code.
func (i *installation) hookedPair(tb testing.TB, session string) bridge.Credentials {
	tb.Helper()
	c := i.command("serve")
	c.Env = append(c.Env, "CLAUDE_CODE_SESSION_ID="+session)
	created := mustStart(tb, c, bridge.Credentials{}).mustCall(tb, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	return bridge.Credentials{Conversation: created["conversation_id"].(string), Session: bridge.SessionB, Token: created["session_b_token"].(string)}
}

// fill stores messages: in one conversation all are read except the partner's own, in
// two others none is.
func (i *installation) fill(tb testing.TB, one, two bridge.Credentials) {
	tb.Helper()
	ctx := context.Background()
	key, err := keyfile.Load(filepath.Join(filepath.Dir(i.db), "bridge.key"))
	if err != nil {
		tb.Fatal(err)
	}
	store, err := sqlite.Open(ctx, i.db, sqlite.Options{Key: key, Volatile: true})
	if err != nil {
		tb.Fatal(err)
	}
	s := bridge.New(bridge.Config{Store: store, Key: key})
	send := func(c bridge.Credentials) {
		if _, err := s.Send(ctx, c, bridge.SendRequest{Text: "Which fields does /users return?"}); err != nil {
			tb.Fatal(err)
		}
	}
	for range messagesInHookStore - 100 {
		send(one)
	}
	for range 100 {
		send(two)
	}
	if err := errors.Join(i.readAll(ctx, s, one), store.Close()); err != nil {
		tb.Fatal(err)
	}
}

// readAll reads the mail of the partner of c.
func (i *installation) readAll(ctx context.Context, s *bridge.Service, c bridge.Credentials) error {
	tokens, err := s.Tokens(ctx, c.Conversation)
	if err != nil {
		return err
	}
	reader := bridge.Credentials{Conversation: c.Conversation, Session: bridge.SessionA, Token: tokens[0].Token}
	for {
		d, err := s.Check(ctx, reader, bridge.CheckRequest{Limit: bridge.MaxPage}, nil)
		if err != nil {
			return err
		}
		if err := s.Confirm(ctx, d.Claim); err != nil || !d.HasMore {
			return err
		}
	}
}
