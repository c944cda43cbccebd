// Command demo shows the bridge at work: two agents, each with its own bridge
// process, talk through a temporary store, followed by the operator's view.
//
//	go run ./scripts/demo bin/bridge
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo PATH-OF-BRIDGE")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program string) (err error) {
	program, err = filepath.Abs(program)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bridge-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{program: program, store: filepath.Join(dir, "state", "bridge.db")}

	say("Two agents start. Each has its own bridge process; they share only the store\n%s", d.store)
	backend, err := d.start(ctx, "backend agent")
	if err != nil {
		return err
	}
	frontend, err := d.start(ctx, "frontend agent")
	if err != nil {
		return errors.Join(err, backend.stop())
	}
	return errors.Join(d.play(ctx, backend, frontend), backend.stop(), frontend.stop(), d.operate(ctx))
}

// demo is a store and the program that serves it.
type demo struct {
	program, store string
	conversation   string
}

// play is the agents' part.
func (d *demo) play(ctx context.Context, backend, frontend *agent) error {
	say("The backend agent opens a conversation and gets a join code for the other agent.")
	created, err := backend.call(ctx, "create_conversation", args{"my_role": "backend developer", "partner_role": "frontend developer"})
	if err != nil {
		return err
	}
	d.conversation = fmt.Sprint(created["conversation_id"])

	say("The human passes the join code on. The frontend agent joins.")
	if _, err := frontend.call(ctx, "join_conversation", args{"join_code": created["join_code"]}); err != nil {
		return err
	}
	if err := d.deliver(ctx, backend, frontend); err != nil {
		return err
	}
	say("It answers, and the backend agent reads the answer.")
	for _, step := range []struct {
		by   *agent
		tool string
		args args
	}{
		{frontend, "update_my_status", args{"status": "working"}},
		{frontend, "send_to_partner", args{"message": "id, name and avatar_url, please.", "action_type": "info"}},
		{backend, "check_messages", args{"wait_seconds": 10}},
		{backend, "check_partner_status", args{}},
		{backend, "get_history", args{}},
	} {
		if _, err := step.by.call(ctx, step.tool, step.args); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends a message to an agent that is waiting for it.
func (d *demo) deliver(ctx context.Context, backend, frontend *agent) error {
	say("It waits for mail. Meanwhile the backend agent sends a message, with a password in\nit that must not travel. The waiting agent has it the moment it is stored.")
	mail := frontend.wait(ctx)
	secret := "p" + rand.Text()
	if _, err := backend.call(ctx, "send_to_partner", args{
		"message":        "GET /users returns id and name. The staging database is postgres://app:" + secret + "@db/app.\nWhich fields do you need?",
		"action_type":    "question",
		"files_involved": []string{"api/users.go"},
	}); err != nil {
		return err
	}
	_, err := frontend.show("check_messages", <-mail)
	return err
}

// operate is the operator's part.
func (d *demo) operate(ctx context.Context) error {
	say("The agents have gone. This is what the operator sees.")
	for _, command := range [][]string{{"list"}, {"show", d.conversation}, {"audit", "--limit", "5"}, {"audit", "verify"}} {
		fmt.Printf("\n$ bridge %s\n", strings.Join(command, " "))
		c := exec.CommandContext(ctx, d.program, command...) //nolint:gosec // the program that the demo is about
		c.Env = append(os.Environ(), "BRIDGE_DB="+d.store)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("bridge %s: %w", command[0], err)
		}
	}
	say("Done. The store was temporary and is removed.")
	return nil
}

type args map[string]any

// agent is an MCP client with its bridge process.
type agent struct {
	name    string
	session *mcp.ClientSession
}

func (d *demo) start(ctx context.Context, name string) (*agent, error) {
	c := exec.Command(d.program, "serve") //nolint:gosec // the program that the demo is about
	c.Env = append(os.Environ(), "BRIDGE_DB="+d.store)
	c.Stderr = os.Stderr
	client := mcp.NewClient(&mcp.Implementation{Name: name, Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: c}, nil)
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	return &agent{name, session}, nil
}

func (a *agent) stop() error { return a.session.Close() }

// outcome is the result of a call.
type outcome struct {
	result *mcp.CallToolResult
	err    error
}

// wait waits for mail in the background.
func (a *agent) wait(ctx context.Context) <-chan outcome {
	mail := make(chan outcome, 1)
	go func() { mail <- a.ask(ctx, "check_messages", args{"wait_seconds": 10}) }()
	return mail
}

// call calls a tool, prints what the agent is told, and returns the data.
func (a *agent) call(ctx context.Context, tool string, arguments args) (map[string]any, error) {
	return a.show(tool, a.ask(ctx, tool, arguments))
}

func (a *agent) ask(ctx context.Context, tool string, arguments args) outcome {
	result, err := a.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	return outcome{result, err}
}

func (a *agent) show(tool string, o outcome) (map[string]any, error) {
	if o.err != nil {
		return nil, fmt.Errorf("%s: %s: %w", a.name, tool, o.err)
	}
	var text strings.Builder
	for _, content := range o.result.Content {
		if t, ok := content.(*mcp.TextContent); ok {
			text.WriteString(t.Text)
		}
	}
	fmt.Printf("\n[%s] %s\n", a.name, tool)
	for line := range strings.Lines(text.String()) {
		fmt.Print("    ", line)
	}
	fmt.Println()
	if o.result.IsError {
		return nil, fmt.Errorf("%s: %s failed", a.name, tool)
	}
	data, ok := o.result.StructuredContent.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %s returned no data", a.name, tool)
	}
	return data, nil
}

func say(format string, values ...any) {
	fmt.Printf("\n== "+format+"\n", values...)
}
