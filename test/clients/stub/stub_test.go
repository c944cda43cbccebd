package stub_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// dialogue is how a client calls its model twice: with a prompt, and with the
// result of the model's call.
type dialogue struct {
	wire          stub.Wire
	path          string
	prompt        string
	call, called  string // what the answer to the prompt contains
	result        string
	aside, answer string // a request without tools, and what its answer contains
}

var dialogues = map[string]dialogue{
	"anthropic": {
		wire:   stub.Anthropic,
		path:   "/v1/messages",
		prompt: `{"stream": true, "system": [{"type": "text", "text": "be good"}], "tools": [{"name": "mcp__bridge__x"}], "messages": [{"role": "user", "content": "hello"}]}`,
		call:   `"name":"mcp__bridge__x"`,
		called: `\"n\":1`,
		result: `{"tools": [{"name": "mcp__bridge__x"}], "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "call_0001", "name": "mcp__bridge__x", "input": {}}]},
			{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_0001", "content": "{\"unread\": \"7\"}"}]}]}`,
		aside:  `{"messages": [{"role": "user", "content": "a title?"}], "output_config": {"format": {}}}`,
		answer: `\"title\"`,
	},
	"responses": {
		wire:   stub.Responses,
		path:   "/responses",
		prompt: `{"instructions": "be good", "tools": [{"type": "namespace", "name": "mcp__bridge", "tools": [{"name": "x"}]}], "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}]}`,
		call:   `"namespace":"mcp__bridge"`,
		called: `{\"n\":1}`,
		result: `{"tools": [{"name": "other"}], "input": [{"type": "function_call_output", "call_id": "call_0001", "output": "Output:\n{\"unread\": \"7\"}"}]}`,
		aside:  `{"input": []}`,
		answer: `"text":"ok"`,
	},
	"responses, code": {
		wire:   stub.Responses,
		path:   "/responses",
		prompt: `{"instructions": "be good", "input": [{"type": "additional_tools", "tools": [{"name": "functions", "tools": [{"name": "exec"}]}]}, {"type": "message", "role": "user", "content": "hello"}]}`,
		call:   `"type":"custom_tool_call"`,
		called: `await tools.mcp__bridge__x({\"n\":1})`,
		result: `{"tools": [{"name": "other"}], "input": [{"type": "custom_tool_call_output", "call_id": "call_0001", "output": "{\"content\": [], \"structuredContent\": {\"unread\": \"7\"}}"}]}`,
		aside:  `{"input": []}`,
		answer: `"text":"ok"`,
	},
	"gemini": {
		wire:   stub.Gemini,
		path:   "/v1beta/models/m:streamGenerateContent",
		prompt: `{"systemInstruction": {"parts": [{"text": "be good"}]}, "tools": [{"functionDeclarations": [{"name": "mcp_bridge_x"}]}], "contents": [{"role": "user", "parts": [{"text": "hello"}]}]}`,
		call:   `"name":"mcp_bridge_x"`,
		called: `"args":{"n":1}`,
		result: `{"tools": [{"functionDeclarations": [{"name": "mcp_bridge_x"}]}], "contents": [{"role": "user", "parts": [{"functionResponse": {"id": "call_0001", "name": "mcp_bridge_x", "response": {"output": "{\"unread\": \"7\"}"}}}]}]}`,
		aside:  `{"contents": []}`,
		answer: `"text":"ok"`,
	},
}

func TestDialogue(t *testing.T) {
	for name, d := range dialogues {
		t.Run(name, func(t *testing.T) {
			model := stub.Start(d.wire, func(a *stub.Agent) {
				if all := a.Request().All(); !strings.Contains(all, "be good") || a.Request().Said() != "hello" {
					t.Errorf("the script does not see the request: %q", all)
				}
				if got := a.Call("x", stub.Args{"n": 1}).Text("unread"); got != "7" {
					t.Errorf("the script does not see the result: %q", got)
				}
				a.Say("The end.")
			})
			defer model.Close()
			ask := func(body string, want ...string) {
				t.Helper()
				answer := post(t, model.URL()+d.path, body)
				for _, part := range want {
					if !strings.Contains(answer, part) {
						t.Errorf("%q is not in %s", part, answer)
					}
				}
			}
			ask(d.aside, d.answer)
			ask(d.prompt, d.call, d.called)
			ask(d.result, "The end.")
			ask(d.prompt, "Done.")
			post(t, model.URL()+"/telemetry", "{}")
			if n, odd := len(model.Requests()), model.Odd(); n != 3 || len(odd) != 1 || odd[0] != "POST /telemetry" {
				t.Errorf("the record has %d requests, and the odd %q", n, odd)
			}
		})
	}
}

// TestCallAwaitsItsResult checks that a background agent of the client that calls the
// model while a tool is running gets an answer, and that the script gets the tool's
// result.
func TestCallAwaitsItsResult(t *testing.T) {
	for name, d := range dialogues {
		t.Run(name, func(t *testing.T) {
			model := stub.Start(d.wire, func(a *stub.Agent) {
				if got := a.Call("x", stub.Args{"n": 1}).Text("unread"); got != "7" {
					t.Errorf("the script was given another agent's request: %q", got)
				}
				a.Say("The end.")
			})
			defer model.Close()
			url := model.URL() + d.path
			post(t, url, d.prompt)
			if aside := post(t, url, d.prompt); !strings.Contains(aside, `"ok"`) || strings.Contains(aside, d.call) {
				t.Errorf("the other agent was answered with %s", aside)
			}
			if last := post(t, url, d.result); !strings.Contains(last, "The end.") {
				t.Errorf("the script did not go on: %s", last)
			}
		})
	}
}

// TestCloseEndsScript checks that Close ends a script that waits for a client
// that has disconnected.
func TestCloseEndsScript(t *testing.T) {
	model := stub.Start(stub.Gemini, func(a *stub.Agent) {
		a.Say("Hello.")
		t.Error("the script went on")
	})
	post(t, model.URL()+dialogues["gemini"].path, dialogues["gemini"].prompt)
	model.Close()
}

func post(t *testing.T, url, body string) string {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
