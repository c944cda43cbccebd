package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
)

// installation is the real program with its own store.
type installation struct {
	program, dir, db string
	env              []string
}

// install prepares a place for a store. The program is this test binary under the name
// bridge, which TestMain puts into the path. Settings are in the form NAME=VALUE.
func install(tb testing.TB, env ...string) *installation {
	tb.Helper()
	program, err := exec.LookPath("bridge")
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	db := filepath.Join(dir, "state", "bridge.db")
	return &installation{program, dir, db, append([]string{
		"HOME=" + dir,
		"GORACE=" + os.Getenv("GORACE"),
		"XDG_CONFIG_HOME=" + dir,
		"BRIDGE_DB=" + db,
		"BRIDGE_RATE_PER_MINUTE=0", "BRIDGE_RATE_PER_HOUR=0", "BRIDGE_RATE_PER_DAY=0",
		"BRIDGE_READ_RATE_PER_MINUTE=0", "BRIDGE_READ_RATE_PER_HOUR=0", "BRIDGE_READ_RATE_PER_DAY=0",
	}, env...)}
}

func (i *installation) command(args ...string) *exec.Cmd {
	c := exec.Command(i.program, args...)
	c.Env = i.env
	return c
}

// run runs an operator's command and returns its output.
func (i *installation) run(tb testing.TB, args ...string) string {
	tb.Helper()
	c := i.command(args...)
	out, err := c.CombinedOutput()
	if err != nil {
		tb.Fatalf("bridge %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// client is an MCP client with its own bridge process.
type client struct {
	*mcp.ClientSession
	process *exec.Cmd
}

// connect starts `bridge serve`, bound to a session unless that is zero.
func (i *installation) connect(ctx context.Context, bound bridge.Credentials, args ...string) (*client, error) {
	return start(ctx, i.command(append([]string{"serve"}, args...)...), bound)
}

func start(ctx context.Context, c *exec.Cmd, bound bridge.Credentials) (*client, error) {
	if bound != (bridge.Credentials{}) {
		c.Env = append(c.Env, "BRIDGE_CONVERSATION_ID="+bound.Conversation, "BRIDGE_SESSION_ID="+string(bound.Session), "BRIDGE_TOKEN="+bound.Token)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(ctx, &mcp.CommandTransport{Command: c}, nil)
	if err != nil {
		return nil, err
	}
	return &client{session, c}, nil
}

// mustStart is start for a client that lives as long as the test.
func mustStart(tb testing.TB, process *exec.Cmd, bound bridge.Credentials) *client {
	tb.Helper()
	c, err := start(context.Background(), process, bound)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// mustConnect is connect for a client that lives as long as the test.
func (i *installation) mustConnect(tb testing.TB, bound bridge.Credentials, args ...string) *client {
	tb.Helper()
	return mustStart(tb, i.command(append([]string{"serve"}, args...)...), bound)
}

// call calls a tool and returns its data; failed reports a refusal.
func (c *client) call(ctx context.Context, tool string, args map[string]any) (data map[string]any, failed bool, err error) {
	result, err := c.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return nil, false, err
	}
	data, _ = result.StructuredContent.(map[string]any)
	return data, result.IsError, nil
}

func (c *client) mustCall(tb testing.TB, tool string, args map[string]any) map[string]any {
	tb.Helper()
	data, failed, err := c.call(context.Background(), tool, args)
	if err != nil || failed {
		tb.Fatalf("%s: %v %v", tool, data, err)
	}
	return data
}

// pair creates a conversation and returns the credentials of its two sessions.
func (i *installation) pair(tb testing.TB) (a, b bridge.Credentials) {
	tb.Helper()
	created := i.mustConnect(tb, bridge.Credentials{}).mustCall(tb, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	return credentials(created)
}

// credentials returns the credentials of both sessions from the creator's answer.
func credentials(created map[string]any) (a, b bridge.Credentials) {
	id := created["conversation_id"].(string)
	return bridge.Credentials{Conversation: id, Session: bridge.SessionA, Token: created["session_a_token"].(string)},
		bridge.Credentials{Conversation: id, Session: bridge.SessionB, Token: created["session_b_token"].(string)}
}
