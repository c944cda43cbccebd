package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
)

// agent is an MCP client with a bridge process of its own.
type agent struct {
	session *mcp.ClientSession
	process *exec.Cmd
}

// connect starts `bridge serve`, bound to a session unless that is zero, and
// shakes hands with it.
func (p *place) connect(ctx context.Context, bound bridge.Credentials) (*agent, error) {
	process := p.command(ctx, "serve")
	if bound != (bridge.Credentials{}) {
		process.Env = append(process.Env[:len(process.Env):len(process.Env)],
			"BRIDGE_CONVERSATION_ID="+bound.Conversation, "BRIDGE_SESSION_ID="+string(bound.Session), "BRIDGE_TOKEN="+bound.Token)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "bridge-bench", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: process}, nil)
	if err != nil {
		return nil, fmt.Errorf("start bridge serve: %w", err)
	}
	return &agent{session, process}, nil
}

func (a *agent) pid() int { return a.process.Process.Pid }

// close ends the process and waits for its end.
func (a *agent) close() error {
	if err := a.session.Close(); err != nil {
		return fmt.Errorf("end bridge serve: %w", err)
	}
	return nil
}

// closeAll closes agents; those that are nil were never started.
func closeAll(agents ...*agent) error {
	var errs []error
	for _, a := range agents {
		if a != nil {
			errs = append(errs, a.close())
		}
	}
	return errors.Join(errs...)
}

// call calls a tool, decodes its data, and returns how long the answer took.
func (a *agent) call(ctx context.Context, tool string, args map[string]any, data any) (time.Duration, error) {
	begin := time.Now()
	result, err := a.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	took := time.Since(begin)
	if err != nil {
		return took, fmt.Errorf("%s: %w", tool, err)
	}
	text, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return took, fmt.Errorf("%s: %w", tool, err)
	}
	if result.IsError {
		return took, fmt.Errorf("%s was refused: %.200s", tool, text)
	}
	if err := json.Unmarshal(text, data); err != nil {
		return took, fmt.Errorf("%s: %w", tool, err)
	}
	return took, nil
}

// create makes a conversation that outlives the run, of a team that all
// conversations of this agent belong to.
func (a *agent) create(ctx context.Context) (pair, error) {
	var made struct {
		ID string `json:"conversation_id"`
		A  string `json:"session_a_token"`
		B  string `json:"session_b_token"`
	}
	_, err := a.call(ctx, "create_conversation", map[string]any{
		"my_role": "coordinator", "partner_role": "worker", "team": "bench", "ttl_minutes": int(lifetime.Minutes()),
	}, &made)
	return pair{
		a: bridge.Credentials{Conversation: made.ID, Session: bridge.SessionA, Token: made.A},
		b: bridge.Credentials{Conversation: made.ID, Session: bridge.SessionB, Token: made.B},
	}, err
}

// send sends a message and returns how long the answer took.
func (a *agent) send(ctx context.Context, text string) (time.Duration, error) {
	var sent struct {
		ID int64 `json:"message_id"`
	}
	took, err := a.call(ctx, "send_to_partner", map[string]any{"message": text}, &sent)
	if err == nil && sent.ID == 0 {
		err = errors.New("send_to_partner gave the message no id")
	}
	return took, err
}

// expect checks for mail, of which there must be just what is given, or the
// bridge does not work and its figures mean nothing.
func (a *agent) expect(ctx context.Context, wait time.Duration, texts ...string) (time.Duration, error) {
	got, took, err := a.check(ctx, max(len(texts), 1), wait)
	if err != nil {
		return took, err
	}
	if !slices.Equal(got, texts) {
		return took, fmt.Errorf("check_messages delivered %d messages, which are not the %d that were due", len(got), len(texts))
	}
	return took, nil
}

// check checks for mail and returns the texts.
func (a *agent) check(ctx context.Context, limit int, wait time.Duration) ([]string, time.Duration, error) {
	var data struct {
		Messages []struct {
			Text string `json:"message"`
		} `json:"messages"`
	}
	args := map[string]any{"limit": limit}
	if wait > 0 {
		args["wait_seconds"] = int(wait.Seconds())
	}
	took, err := a.call(ctx, "check_messages", args, &data)
	texts := make([]string, len(data.Messages))
	for i, m := range data.Messages {
		texts[i] = m.Text
	}
	return texts, took, err
}
