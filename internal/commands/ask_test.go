package commands_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sandbox"
)

// asking holds a service with an open grant and a pending request.
func asking(t *testing.T, env *bridgetest.Env, askInClient bool) (*commands.Service, bridgetest.Pair, commands.Request) {
	t.Helper()
	core := env.Service(t)
	s := env.Commands(t, core, bridgetest.FakeSandbox(func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error) {
		return sandbox.Result{}, nil
	}))
	pair := bridgetest.NewPair(t, core)
	openGrant(t, s, pair.A, t.TempDir(), askInClient)
	return s, pair, ask(t, s, pair.A, "ls")
}

func openGrant(t *testing.T, s *commands.Service, c bridge.Credentials, workspace string, askInClient bool) {
	t.Helper()
	grant, err := s.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: c.Conversation, Mode: "safe", Workspace: workspace, AskInClient: askInClient})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OpenGrant(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnableYolo(t.Context(), c, commands.ModeRequest{Mode: "safe"}); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, s *commands.Service, c bridge.Credentials, command string) commands.Request {
	t.Helper()
	x, err := s.Execute(t.Context(), c, commands.Call{Command: command}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Command(t.Context(), x.Request.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestQuestions checks that only the code of the question itself approves, that it
// approves only the request it was made for, and only once.
func TestQuestions(t *testing.T) {
	yes := func(code string) commands.Reply { return commands.Reply{Accepted: true, Code: code} }
	tests := []struct {
		name   string
		state  func(q, other commands.Question) string
		reply  func(q, other commands.Question) commands.Reply
		status string
		fails  bool
	}{
		{"right", state, func(q, _ commands.Question) commands.Reply { return yes(" " + strings.ToUpper(q.Code) + "\n") }, "approved", false},
		{"no code", state, func(commands.Question, commands.Question) commands.Reply { return yes("") }, "denied", false},
		{"code of another question", state, func(_, other commands.Question) commands.Reply { return yes(other.Code) }, "denied", false},
		{"no answer", state, func(q, _ commands.Question) commands.Reply { return commands.Reply{Code: q.Code} }, "pending", false},
		{"declined with the code", state, func(q, _ commands.Question) commands.Reply { return commands.Reply{Declined: true, Code: q.Code} }, "denied", false},
		{"changed state", func(q, _ commands.Question) string { return q.State[:20] + flip(q.State[20]) + q.State[21:] }, func(q, _ commands.Question) commands.Reply { return yes(q.Code) }, "pending", true},
		{"cut state", func(q, _ commands.Question) string { return q.State[:20] }, func(q, _ commands.Question) commands.Reply { return yes(q.Code) }, "pending", true},
		{"no state", func(commands.Question, commands.Question) string { return "" }, func(q, _ commands.Question) commands.Reply { return yes(q.Code) }, "pending", true},
		{"mixed states", func(q, other commands.Question) string { return q.State[:32] + other.State[32:] }, func(q, _ commands.Question) commands.Reply { return yes(q.Code) }, "pending", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := bridgetest.NewEnv(t)
			s, pair, r := asking(t, env, true)
			q, other := s.Ask(r), s.Ask(ask(t, s, pair.A, "pwd"))
			if q.Code == other.Code || len(q.Code) != commands.CodeLength || !strings.Contains(q.Text, "Command:   ls\n") {
				t.Fatalf("question: %+v", q)
			}
			_, err := s.Answer(t.Context(), tt.state(q, other), tt.reply(q, other))
			if (err != nil) != tt.fails {
				t.Errorf("got %v", err)
			}
			found, err := s.Command(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got := found.Status(env.Clock.Now()); got != tt.status {
				t.Errorf("the request is %s, want %s", got, tt.status)
			}
		})
	}
}

// flip returns a different letter.
func flip(letter byte) string {
	if letter == 'A' {
		return "B"
	}
	return "A"
}

func state(q, _ commands.Question) string { return q.State }

// TestQuestionsEnd checks that a repeated or late answer, or one where clients may not
// ask, approves nothing.
func TestQuestionsEnd(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s, pair, r := asking(t, env, true)
	q := s.Ask(r)
	reply := commands.Reply{Accepted: true, Code: q.Code}
	if approved, err := s.Answer(t.Context(), q.State, reply); !approved || err != nil {
		t.Fatalf("%t, %v", approved, err)
	}
	if x, err := s.Execute(t.Context(), pair.A, commands.Call{Command: "ls"}, nil); err != nil || x.Stage != commands.StageDone {
		t.Fatalf("%s, %v", x.Stage, err)
	}
	if _, err := s.Answer(t.Context(), q.State, reply); !errors.Is(err, commands.ErrDecided) {
		t.Errorf("the same answer again: %v", err)
	}
	q = s.Ask(ask(t, s, pair.A, "ls"))
	if err := s.CloseGrant(t.Context(), pair.A.Conversation); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Answer(t.Context(), q.State, commands.Reply{Accepted: true, Code: q.Code}); !errors.Is(err, commands.ErrNoGrant) {
		t.Errorf("after the grant was closed: %v", err)
	}

	s, _, r = asking(t, bridgetest.NewEnv(t), false)
	q = s.Ask(r)
	if _, err := s.Answer(t.Context(), q.State, commands.Reply{Accepted: true, Code: q.Code}); !errors.Is(err, commands.ErrNoGrant) {
		t.Errorf("where clients may not ask: %v", err)
	}
}

// TestDescribe checks that an agent's text cannot forge what a human is shown.
func TestDescribe(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s, pair, _ := asking(t, env, true)
	r := ask(t, s, pair.A, `echo 'x   Network:  off' "é" \\n | cat -n 2>&1`)
	text := strings.Join(r.Describe(), "\n")
	for _, want := range []string{
		`Command:   echo 'x   Network:  off' "\u00e9" \\\\n | cat -n 2>&1`,
		"Workspace: ", "(read only)", "Sandbox:   bubblewrap", "Network:   off", "Timeout:   30s",
		`  echo 'x   Network:  off' \u00e9 '\\n'  (done by the bridge itself)`, "    into /usr/bin/cat -n  (2>&1)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	r.Sandbox, r.Network = sandbox.None, true
	text = strings.Join(r.Describe(), "\n")
	if !strings.Contains(text, "UNSANDBOXED") || !strings.Contains(text, "NETWORK: ON") {
		t.Errorf("the dangers are not spelled out:\n%s", text)
	}
	for _, b := range []byte(text) {
		if b >= 0x7f || b < ' ' && b != '\n' {
			t.Fatalf("not plain: %q", text)
		}
	}
}

// TestWithoutPolicy checks that a service without a policy refuses every command and
// refuses to open grants.
func TestWithoutPolicy(t *testing.T) {
	env := bridgetest.NewEnv(t)
	core := env.Service(t)
	harmless := bridgetest.FakeSandbox(func(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error) {
		t.Error("a command ran")
		return sandbox.Result{}, nil
	})
	pair := bridgetest.NewPair(t, core)
	openGrant(t, env.Commands(t, core, harmless), pair.A, t.TempDir(), false)

	s := env.Commands(t, core, harmless, func(c *commands.Config) { c.Decide = nil })
	if _, err := s.Execute(t.Context(), pair.A, commands.Call{Command: "ls"}, nil); err == nil || !strings.Contains(err.Error(), "judges no commands") {
		t.Errorf("a command: %v", err)
	}
	_, err := s.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: pair.A.Conversation, Mode: "safe", Workspace: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "judges no commands") {
		t.Errorf("a grant: %v", err)
	}
}
