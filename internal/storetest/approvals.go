package storetest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	rules "example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/sandbox"
)

var approvalTests = []test{
	{"nothing runs without a grant, a mode and an approval", fourStages},
	{"a session chooses a mode within the grant and never above it", ceiling},
	{"an approval runs its command once", approvedOnce},
	{"two processes with one approval: one runs", approvalRace},
	{"an approval is for one session and one command", approvalBound},
	{"an approval needs its token, if it has one", approvalToken},
	{"an approval expires, and so does a request", approvalExpires},
	{"a denied command stays denied, and after many denials requests are refused", denied},
	{"only a few requests may wait, and a repeated request is the same one", queueBound},
	{"another mode, timeout, workspace or sandbox needs another approval", changedConditions},
	{"another folder under the name of the workspace is refused", otherFolder},
	{"opening and closing a grant voids earlier requests and approvals", grantsVoid},
	{"a forged grant or approval has no effect", forged},
	{"without the key commands cannot be tried against a stored request", guessed},
	{"an unproven caller learns nothing and runs nothing", unprovenCommands},
	{"a secret in a command is refused and not kept", secretCommands},
	{"a refused command costs nothing, a queued one does", commandLimits},
	{"each stage is in the log, and the chain holds", commandLog},
	{"the partner is told, with what was printed redacted", partnerTold},
	{"output that is cut stays quoted", cutOutputQuoted},
	{"the reason why a command did not run is redacted", problemRedacted},
	{"cleanup removes what can no longer run", commandCleanup},
	{"commands are removed with their conversation", commandsOfExpired},
}

// commandWorld is a world with a workspace in which running commands is only simulated.
type commandWorld struct {
	*world
	a, b guarded
	bridgetest.Pair
	workspace string
	output    string
	failure   error // returned for every command that is run

	mu  sync.Mutex
	ran []sandbox.List
}

func newCommandWorld(t *testing.T, w *world) *commandWorld {
	t.Helper()
	c := &commandWorld{world: w, workspace: must(filepath.EvalSymlinks(t.TempDir()))(t)}
	for _, name := range []string{"a.txt", "b.txt"} {
		must(0, os.WriteFile(filepath.Join(c.workspace, name), []byte(name), 0o600))(t)
	}
	c.a, c.b = c.with(w.storeA, w.a), c.with(w.storeB, w.b)
	c.Pair = w.pair(t)
	return c
}

// guarded combines the domain and the command guard on one store.
type guarded struct {
	*bridge.Service
	*guard
}

type guard = commands.Service

func (c *commandWorld) with(s Store, core *bridge.Service) guarded {
	return guarded{core, commands.New(commands.Config{
		Bridge: core, Store: s, Key: c.key,
		Decide:    policy.Decide,
		Home:      "/nonexistent/home",
		StateDirs: []string{"/nonexistent/state"},
		Run: func(_ context.Context, list sandbox.List, _ sandbox.Options) (sandbox.Result, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ran = append(c.ran, list)
			return sandbox.Result{Stdout: []byte(c.output)}, c.failure
		},
		Choose: func(context.Context, sandbox.Options) (sandbox.Backend, error) { return sandbox.Bubblewrap, nil },
		Try:    func(context.Context, sandbox.Options) error { return nil },
	})}
}

// open opens a grant with yolo mode as its ceiling, and sets both sessions to safe
// mode.
func (c *commandWorld) open(t *testing.T, change ...func(*commands.GrantRequest)) commands.Grant {
	t.Helper()
	r := commands.GrantRequest{Conversation: c.A.Conversation, Mode: "yolo", Workspace: c.workspace}
	for _, f := range change {
		f(&r)
	}
	g := must(c.a.PrepareGrant(t.Context(), r))(t)
	must(0, c.a.OpenGrant(t.Context(), g))(t)
	for _, s := range []bridge.Credentials{c.A, c.B} {
		c.choose(t, s, commands.ModeRequest{Mode: "safe"})
	}
	return g
}

func (c *commandWorld) choose(t *testing.T, s bridge.Credentials, r commands.ModeRequest) {
	t.Helper()
	must(c.a.EnableYolo(t.Context(), s, r))(t)
}

// ask requests a command, which must be accepted as a pending request.
func (c *commandWorld) ask(t *testing.T, s bridge.Credentials, command string) commands.Request {
	t.Helper()
	x := must(c.a.Execute(t.Context(), s, commands.Call{Command: command}, nil))(t)
	equal(t, "stage", x.Stage, commands.StagePending)
	return must(c.b.Command(t.Context(), x.Request.ID))(t)
}

func (c *commandWorld) approve(t *testing.T, r commands.Request) {
	t.Helper()
	must(approve(t.Context(), c.b, r, false))(t)
}

func approve(ctx context.Context, s guarded, r commands.Request, withToken bool) (string, error) {
	_, token, err := s.Approve(ctx, commands.ApproveRequest{Request: r, WithToken: withToken, Where: "test"})
	return token, err
}

// execute runs a command and returns the stage and the error.
func (c *commandWorld) execute(t *testing.T, s bridge.Credentials, command, token string) (commands.Stage, error) {
	t.Helper()
	x, err := c.b.Execute(t.Context(), s, commands.Call{Command: command, Token: token}, nil)
	return x.Stage, err
}

// refused fails the test unless the call is refused with the given error and recorded,
// and nothing is run.
func (c *commandWorld) refused(t *testing.T, s bridge.Credentials, command, token string, want error) {
	t.Helper()
	before := len(c.ran)
	_, err := c.execute(t, s, command, token)
	wantError(t, err, want)
	equal(t, "runs", len(c.ran), before)
	if got := c.lastEntry(t); !strings.HasSuffix(got, " execute_command refused") {
		t.Errorf("the log says %s", got)
	}
}

func wantRefused(t testing.TB, err error) {
	t.Helper()
	var refusal *commands.RefusedError
	if !errors.As(err, &refusal) {
		t.Errorf("got %v, want a RefusedError", err)
	}
}

// guessed computes an unkeyed digest from the clear fields of a request and the right
// command. It must not equal the stored digest.
func guessed(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	guess := rules.ApprovalRequest{
		Conversation: r.Conversation, Session: string(r.Session), Command: r.Command, Plan: &r.Plan, Mode: r.Mode, Workspace: r.Workspace,
		Device: r.Folder.Device, Inode: r.Folder.Inode, Sandbox: string(r.Sandbox) + " " + r.Image, Network: r.Network, Timeout: r.Timeout, Nonce: r.Nonce,
	}.Digest()
	if bytes.Equal(r.Digest, guess[:]) {
		t.Error("it has the digest of the request")
	}
	c.approve(t, r)
}

func fourStages(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoGrant)
	_, err := c.a.EnableYolo(t.Context(), c.A, commands.ModeRequest{Mode: "safe"})
	wantError(t, err, commands.ErrNoGrant)
	g := must(c.a.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: c.A.Conversation, Mode: "safe", Workspace: c.workspace}))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoGrant) // preparing a grant does not open it
	must(0, c.a.OpenGrant(t.Context(), g))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoMode)
	c.choose(t, c.A, commands.ModeRequest{Mode: "safe"})
	r := c.ask(t, c.A, "cat a.txt")
	equal(t, "runs", len(c.ran), 0)
	c.approve(t, r)
	equal(t, "runs", len(c.ran), 0)
	stage := must(c.execute(t, c.A, "cat a.txt", ""))(t)
	equal(t, "stage", stage, commands.StageDone)
	equal(t, "runs", len(c.ran), 1)
}

func ceiling(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t, func(r *commands.GrantRequest) { r.Mode = "restricted" })
	no := false
	for _, r := range []commands.ModeRequest{
		{Mode: "yolo"},
		{Mode: "safe", Workspace: filepath.Dir(c.workspace)},
		{Mode: "safe", Workspace: "/usr"},
		{Mode: "safe", Sandbox: &no},
	} {
		_, err := c.a.EnableYolo(t.Context(), c.A, r)
		wantRefused(t, err)
		equal(t, "entry", c.lastEntry(t), "a enable_yolo_mode refused")
	}
	c.choose(t, c.A, commands.ModeRequest{Mode: "restricted"})
	_, err := c.execute(t, c.A, "chown root a.txt", "")
	wantRefused(t, err)
}

func approvedOnce(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	c.approve(t, r)
	must(c.execute(t, c.A, "cat a.txt", ""))(t)
	stage := must(c.execute(t, c.A, "cat a.txt", ""))(t)
	equal(t, "the second call", stage, commands.StagePending)
	equal(t, "runs", len(c.ran), 1)
	done := must(c.a.Command(t.Context(), r.ID))(t)
	equal(t, "status", done.Status(c.clock.Now()), "done")
	_, err := approve(t.Context(), c.a, r, false)
	wantError(t, err, commands.ErrDecided)
}

func approvalRace(t *testing.T, w *world) {
	const rounds, callers = 5, 8
	c := newCommandWorld(t, w)
	c.open(t)
	for range rounds {
		before := len(c.ran)
		c.approve(t, c.ask(t, c.A, "cat a.txt"))
		var all sync.WaitGroup
		for i := range callers {
			s := []guarded{c.a, c.b}[i%2]
			all.Go(func() {
				_, err := s.Execute(background(), c.A, commands.Call{Command: "cat a.txt"}, nil)
				if err != nil && !errors.Is(err, commands.ErrApprovalUsed) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		equal(t, "runs of one approval", len(c.ran)-before, 1)
	}
	c.verify(t)
}

func approvalBound(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	token := must(approve(t.Context(), c.a, r, true))(t)
	c.refused(t, c.B, "cat a.txt", token, commands.ErrApprovalChanged)
	c.refused(t, c.A, "cat b.txt", token, commands.ErrApprovalChanged)
	c.refused(t, c.A, "cat  a.txt", token, commands.ErrApprovalChanged)
	c.ask(t, c.B, "cat a.txt")
	other := c.pair(t)
	_, err := c.execute(t, other.A, "cat a.txt", token)
	wantError(t, err, commands.ErrNoGrant)
	stage := must(c.execute(t, c.A, "cat a.txt", token))(t)
	equal(t, "stage", stage, commands.StageDone)
	c.refused(t, c.A, "cat a.txt", token, commands.ErrApprovalUsed)
}

func approvalToken(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	token := must(approve(t.Context(), c.a, r, true))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrApprovalChanged)
	c.refused(t, c.A, "cat a.txt", strings.Repeat("0", len(token)), commands.ErrApprovalChanged)
	kept := must(c.a.Command(t.Context(), r.ID))(t)
	if len(kept.TokenHash) == 0 || bytes.Contains(kept.TokenHash, []byte(token)) {
		t.Error("the store does not keep a hash of the token")
	}
	stage := must(c.execute(t, c.A, "cat a.txt", token))(t)
	equal(t, "stage", stage, commands.StageDone)

	c.approve(t, c.ask(t, c.A, "cat b.txt")) // without a token
	c.refused(t, c.A, "cat b.txt", token, commands.ErrApprovalChanged)
}

func approvalExpires(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	token := must(approve(t.Context(), c.a, r, true))(t)
	c.clock.Advance(commands.DefaultApprovalFor)
	c.refused(t, c.A, "cat a.txt", token, commands.ErrApprovalExpired)
	r = c.ask(t, c.A, "cat a.txt")
	c.clock.Advance(commands.PendingFor)
	_, err := approve(t.Context(), c.a, r, false)
	wantError(t, err, commands.ErrDecided)
	equal(t, "entry", c.lastEntry(t), "operator yolo_approve refused")
	c.approve(t, c.ask(t, c.A, "cat a.txt"))
	c.clock.Advance(commands.DefaultGrantTTL)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoGrant)
}

func denied(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	must(0, c.a.Deny(t.Context(), r, "test"))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrDenied)
	c.refused(t, c.B, "cat a.txt", "", commands.ErrDenied)
	_, err := approve(t.Context(), c.a, r, false)
	wantError(t, err, commands.ErrDecided)
	c.clock.Advance(commands.DeniedFor + time.Second)
	r = c.ask(t, c.A, "cat a.txt")
	c.approve(t, r)
	must(0, c.a.Deny(t.Context(), r, "test"))(t) // cancels the approval
	c.refused(t, c.A, "cat a.txt", "", commands.ErrDenied)
	must(0, c.a.Deny(t.Context(), c.ask(t, c.A, "cat b.txt"), "test"))(t)
	c.refused(t, c.B, "ls", "", commands.ErrTooManyDenied)
	c.open(t)
	c.ask(t, c.B, "ls")
}

func queueBound(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	first := c.ask(t, c.A, "echo 0")
	for i := 1; i < commands.MaxPending; i++ {
		c.ask(t, c.A, "echo "+string(rune('0'+i)))
	}
	equal(t, "the same request", c.ask(t, c.A, "echo 0").ID, first.ID)
	c.refused(t, c.B, "echo one more", "", commands.ErrQueueFull)
	must(0, c.a.Deny(t.Context(), first, "test"))(t)
	c.ask(t, c.B, "echo one more")
}

func changedConditions(t *testing.T, w *world) {
	yes := true
	for _, tt := range []struct {
		name   string
		change commands.ModeRequest
	}{
		{"mode", commands.ModeRequest{Mode: "restricted"}},
		{"timeout", commands.ModeRequest{Mode: "safe", Timeout: time.Minute}},
		{"workspace", commands.ModeRequest{Mode: "safe", Workspace: "sub"}},
		{"sandbox", commands.ModeRequest{Mode: "safe", Sandbox: &yes}},
	} {
		c := newCommandWorld(t, w)
		must(0, os.Mkdir(filepath.Join(c.workspace, "sub"), 0o700))(t)
		c.open(t, func(r *commands.GrantRequest) { r.Sandbox = sandbox.None })
		c.approve(t, c.ask(t, c.A, "pwd"))
		if tt.change.Workspace != "" {
			tt.change.Workspace = filepath.Join(c.workspace, tt.change.Workspace)
		}
		c.choose(t, c.A, tt.change)
		t.Log(tt.name)
		c.refused(t, c.A, "pwd", "", commands.ErrApprovalChanged)
		c.ask(t, c.A, "pwd") // the approval is void, so the command is requested again
	}
}

func otherFolder(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	c.approve(t, c.ask(t, c.A, "cat a.txt"))
	must(0, os.Rename(c.workspace, c.workspace+"-moved"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(c.workspace + "-moved") })
	must(0, os.Mkdir(c.workspace, 0o700))(t)
	must(0, os.WriteFile(filepath.Join(c.workspace, "a.txt"), nil, 0o600))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoGrant)
	must(0, os.RemoveAll(c.workspace))(t)
	must(0, os.Symlink(c.workspace+"-moved", c.workspace))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoGrant)
}

func grantsVoid(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	approved, pending := c.ask(t, c.A, "cat a.txt"), c.ask(t, c.A, "cat b.txt")
	c.approve(t, approved)
	must(0, c.b.CloseGrant(t.Context(), c.A.Conversation))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrNoGrant)
	wantError(t, c.b.CloseGrant(t.Context(), c.A.Conversation), commands.ErrNoGrant)
	c.open(t)
	c.ask(t, c.A, "cat a.txt")
	_, err := approve(t.Context(), c.a, pending, false)
	wantError(t, err, commands.ErrDecided)
	equal(t, "runs", len(c.ran), 0)
}

// forged changes rows of the store as somebody could who can write to it but has no
// key.
func forged(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	op := bridge.Operation{Now: c.clock.Now(), Actor: bridge.Operator, Conversation: c.A.Conversation, Action: "test", Details: bridge.Details{}}
	g := c.open(t, func(r *commands.GrantRequest) { r.Mode = "safe" })
	g.Ceiling = "yolo"
	must(0, c.storeA.OpenGrant(t.Context(), op, g))(t)
	_, err := c.a.EnableYolo(t.Context(), c.A, commands.ModeRequest{Mode: "yolo"})
	wantError(t, err, commands.ErrNoGrant)

	c.open(t)
	r := c.ask(t, c.A, "cat a.txt")
	must(0, c.storeA.DecideCommand(t.Context(), op, commands.Decision{
		ID: r.ID, Digest: r.Digest, State: commands.StateApproved, ApprovedUntil: c.clock.Now().Add(time.Hour), Seal: make([]byte, 32),
	}))(t)
	c.refused(t, c.A, "cat a.txt", "", commands.ErrApprovalChanged)

	r = c.ask(t, c.A, "cat a.txt")
	r.Command = "cat b.txt" // what the operator is shown
	_, err = approve(t.Context(), c.a, r, false)
	wantError(t, err, commands.ErrDecided)
}

func unprovenCommands(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	c.approve(t, c.ask(t, c.A, "cat a.txt"))
	stranger := c.A
	stranger.Token = strings.Repeat("0", len(stranger.Token))
	swapped := bridge.Credentials{Conversation: c.A.Conversation, Session: c.A.Session, Token: c.B.Token}
	for _, who := range []bridge.Credentials{stranger, swapped} {
		_, err := c.execute(t, who, "cat a.txt", "")
		wantError(t, err, bridge.ErrUnauthorized)
		_, err = c.a.EnableYolo(t.Context(), who, commands.ModeRequest{Mode: "safe"})
		wantError(t, err, bridge.ErrUnauthorized)
		equal(t, "entry", c.lastEntry(t), "a enable_yolo_mode unauthorized")
	}
	equal(t, "runs", len(c.ran), 0)
}

func secretCommands(t *testing.T, w *world) {
	c := newCommandWorld(t, w)
	c.open(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	for _, command := range []string{"grep " + secret + " a.txt", "echo " + c.A.Token} {
		_, err := c.execute(t, c.A, command, "")
		var bad *bridge.InvalidError
		if !errors.As(err, &bad) || bad.Field != "command" {
			t.Errorf("got %v", err)
		}
	}
	for _, e := range c.log(t) {
		if strings.Contains(e.Details, secret) || strings.Contains(e.Details, c.A.Token) {
			t.Errorf("the log has the secret: %s", e.Details)
		}
	}
	equal(t, "requests", len(must(c.a.Commands(t.Context(), commands.Query{}))(t)), 0)
}
