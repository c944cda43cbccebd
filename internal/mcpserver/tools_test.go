package mcpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/mcpserver"
)

var update = flag.Bool("update", false, "update the golden files")

// connect connects an SDK client to a server for b over pipes, with all tools.
func connect(t *testing.T, b bridgetest.Served, bound bridge.Credentials) *mcp.ClientSession {
	t.Helper()
	return connectAs(t, b, mcpserver.Options{Bound: bound, Tools: mcpserver.Groups(), Commands: commands.New(commands.Config{Bridge: b.Service})}, nil)
}

// connectAs is connect with options for the server and the client, and a protocol revision
// other than the newest.
func connectAs(t testing.TB, b bridgetest.Served, o mcpserver.Options, c *mcp.ClientOptions, version ...string) *mcp.ClientSession {
	t.Helper()
	return connectImplementation(t, b, o, &mcp.Implementation{Name: "test", Version: "1"}, c, version...)
}

func connectImplementation(t testing.TB, b bridgetest.Served, o mcpserver.Options, who *mcp.Implementation, c *mcp.ClientOptions, version ...string) *mcp.ClientSession {
	t.Helper()
	serverIn, clientOut := io.Pipe()
	clientIn, serverOut := io.Pipe()
	o.In, o.Out, o.Version = serverIn, serverOut, "test"
	served := make(chan error, 1)
	go func() { served <- mcpserver.Serve(context.Background(), b, o) }()
	client := mcp.NewClient(who, c)
	revision := &mcp.ClientSessionOptions{ProtocolVersion: strings.Join(version, "")}
	session, err := client.Connect(context.Background(), &mcp.IOTransport{Reader: clientIn, Writer: clientOut}, revision)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Errorf("close the client: %v", err)
		}
		_ = clientOut.Close()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return session
}

// listTools lists all tools, including those that run commands.
func listTools(t *testing.T) []*mcp.Tool {
	t.Helper()
	list, err := connect(t, bridgetest.NewServed(t), bridge.Credentials{}).ListTools(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return list.Tools
}

// TestToolRules checks that every tool follows the rules that docs/tools.md states for all.
func TestToolRules(t *testing.T) {
	all := listTools(t)
	whole, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range whole {
		if b >= 0x80 {
			t.Fatalf("not ASCII: %q", whole[max(0, i-20):i+1])
		}
	}
	for _, tool := range all {
		t.Run(tool.Name, func(t *testing.T) { checkTool(t, tool) })
	}
}

// TestToolBudget limits the size of the tool definitions, which a model pays for before its
// first call.
func TestToolBudget(t *testing.T) {
	s := bridgetest.NewServed(t)
	for name, c := range map[string]struct {
		options mcpserver.Options
		tokens  int
	}{
		"core and tasks":      {mcpserver.Options{}, 3000},
		"everything together": {mcpserver.Options{Tools: mcpserver.Groups(), Commands: commands.New(commands.Config{Bridge: s.Service})}, 4700},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := connectAs(t, s, c.options, nil).ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := json.Marshal(list.Tools)
			if err != nil {
				t.Fatal(err)
			}
			// A token is about four characters.
			if tokens := len(whole) / 4; tokens > c.tokens {
				t.Errorf("the tools cost %d tokens, more than %d", tokens, c.tokens)
			} else {
				t.Logf("%d tools, %d tokens of %d", len(list.Tools), tokens, c.tokens)
			}
		})
	}
}

// TestToolGroups checks that a process offers the groups it was started with.
func TestToolGroups(t *testing.T) {
	s := bridgetest.NewServed(t)
	names := func(o mcpserver.Options) (all []string) {
		list, err := connectAs(t, s, o, nil).ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, tool := range list.Tools {
			all = append(all, tool.Name)
		}
		return all
	}
	core := names(mcpserver.Options{Tools: []mcpserver.Group{mcpserver.GroupCore}})
	if slices.Contains(core, "assign_task") || !slices.Contains(core, "send_to_partner") {
		t.Errorf("core: %v", core)
	}
	if all := names(mcpserver.Options{}); !slices.Contains(all, "assign_task") || slices.Contains(all, "execute_command") || slices.Contains(all, "claim_file") {
		t.Errorf("default: %v", all)
	}
	for text, good := range map[string]bool{"core": true, "Core, tasks": true, "tasks": false, "": false, "core,yolo": false, "core,": false} {
		if _, err := mcpserver.ParseGroups(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func checkTool(t *testing.T, tool *mcp.Tool) {
	a := tool.Annotations
	if a == nil || a.Title == "" || a.DestructiveHint == nil || a.OpenWorldHint == nil {
		t.Errorf("annotations are not all set: %+v", a)
	}
	if tool.Description == "" {
		t.Error("no description")
	}
	schema := tool.InputSchema.(map[string]any)
	if schema["additionalProperties"] == nil {
		t.Error("unknown arguments are not refused by the schema")
	}
	for name, p := range schema["properties"].(map[string]any) {
		property := p.(map[string]any)
		if _, single := property["type"].(string); !single {
			t.Errorf("%s has the type %v, want one type", name, property["type"])
		}
		if property["description"] == nil {
			t.Errorf("%s has no description", name)
		}
	}
}

// TestToolSnapshots detects unintended changes of names, descriptions and schemas.
func TestToolSnapshots(t *testing.T) {
	for _, tool := range listTools(t) {
		got, err := json.MarshalIndent(tool, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "tools", tool.Name+".json"), append(got, '\n'))
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run `make golden`)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs from the code (run `make golden` if that is intended):\n%s", path, diff)
	}
}

// call calls a tool and returns its text and its data.
func call(t *testing.T, c *mcp.ClientSession, name string, args map[string]any) (text string, data map[string]any, failed bool) {
	t.Helper()
	result, err := c.CallTool(context.Background(), &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out bytes.Buffer
	for _, content := range result.Content {
		out.WriteString(content.(*mcp.TextContent).Text)
	}
	data, _ = result.StructuredContent.(map[string]any)
	return out.String(), data, result.IsError
}

// TestConversation is a complete conversation: two clients, each with its own server, on
// one store.
func TestConversation(t *testing.T) {
	env := bridgetest.NewEnv(t)
	a := connect(t, env.Served(t), bridge.Credentials{})
	b := connect(t, env.Served(t), bridge.Credentials{})

	_, created, _ := call(t, a, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	text, joined, _ := call(t, b, "join_conversation", map[string]any{"join_code": created["join_code"]})
	if joined["token"] != created["session_b_token"] || joined["my_role"] != "frontend" {
		t.Fatalf("joined: %v\n%s", joined, text)
	}
	_, sent, _ := call(t, a, "send_to_partner", map[string]any{"message": "Which fields does /users return?", "action_type": "question", "files_involved": []string{"api.go"}})
	if sent["seq"] != 1.0 || sent["unread_by_partner"] != 1.0 {
		t.Fatalf("sent: %v", sent)
	}
	text, got, _ := call(t, b, "check_messages", nil)
	m := got["messages"].([]any)[0].(map[string]any)
	if m["message"] != "Which fields does /users return?" || m["from"] != "a" || m["trust"] != "untrusted" {
		t.Fatalf("checked: %v", got)
	}
	if !strings.Contains(text, "\n> Which fields does /users return?\n") {
		t.Errorf("text: %s", text)
	}
	if _, again, _ := call(t, b, "check_messages", nil); len(again["messages"].([]any)) != 0 {
		t.Errorf("a second check returned %v", again)
	}
	call(t, b, "update_my_status", map[string]any{"status": "working"})
	_, status, _ := call(t, a, "check_partner_status", nil)
	if status["status"] != "working" || status["alive"] != true || status["unread_by_partner"] != 0.0 {
		t.Errorf("status: %v", status)
	}
	if _, history, _ := call(t, b, "get_history", nil); len(history["messages"].([]any)) != 1 {
		t.Errorf("history: %v", history)
	}
}
