package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
)

// Agent is an MCP client with its own bridge process. It is safe for concurrent use.
type Agent struct {
	session *mcp.ClientSession
	process *exec.Cmd
}

// Connect starts `bridge serve`, bound to the session unless that is zero, and performs the
// handshake.
func (p *Place) Connect(ctx context.Context, bound bridge.Credentials) (*Agent, error) {
	process := p.Command(ctx, "serve")
	if bound != (bridge.Credentials{}) {
		process.Env = append(process.Env[:len(process.Env):len(process.Env)],
			"BRIDGE_CONVERSATION_ID="+bound.Conversation, "BRIDGE_SESSION_ID="+string(bound.Session), "BRIDGE_TOKEN="+bound.Token)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "bridge-rig", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: process}, nil)
	if err != nil {
		return nil, fmt.Errorf("start bridge serve: %w", err)
	}
	return &Agent{session, process}, nil
}

// PID returns the id of the process.
func (a *Agent) PID() int { return a.process.Process.Pid }

// Close ends the process and waits until it has ended.
func (a *Agent) Close() error {
	if err := a.session.Close(); err != nil {
		return fmt.Errorf("end bridge serve: %w", err)
	}
	return nil
}

// Kill kills the process like kill -9, whatever it is doing, and waits until it has ended.
// Calls that are waiting for an answer fail.
func (a *Agent) Kill() error {
	err := a.process.Process.Kill()
	_ = a.session.Close() // reports the kill
	return err
}

// CloseAll closes agents. Nil agents, which were never started, are skipped.
func CloseAll(agents ...*Agent) error {
	var errs []error
	for _, a := range agents {
		if a != nil {
			errs = append(errs, a.Close())
		}
	}
	return errors.Join(errs...)
}

// Refusal is the answer of a tool that worked and refused the call.
type Refusal struct {
	Tool       string
	Code       string // as in docs/tools.md, such as "rate_limited"
	Message    string
	RetryAfter time.Duration
	// Holder is the session that has claimed the requested file, if there is one.
	Holder string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s was refused: %.200s", r.Tool, r.Message) }

// Call calls a tool, decodes its data, and returns how long the answer took. The error is a
// Refusal if the tool refused the call.
func (a *Agent) Call(ctx context.Context, tool string, args map[string]any, data any) (time.Duration, error) {
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
		return took, refusal(tool, text)
	}
	if err := json.Unmarshal(text, data); err != nil {
		return took, fmt.Errorf("%s: %w", tool, err)
	}
	return took, nil
}

func refusal(tool string, text []byte) error {
	var said struct {
		Error      string `json:"error"`
		Message    string `json:"message"`
		RetryAfter int    `json:"retry_after_seconds"`
		Holder     struct {
			Session string `json:"session_id"`
		} `json:"holder"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return fmt.Errorf("%s: %w", tool, err)
	}
	return &Refusal{
		Tool: tool, Code: said.Error, Message: said.Message, RetryAfter: time.Duration(said.RetryAfter) * time.Second, Holder: said.Holder.Session,
	}
}
