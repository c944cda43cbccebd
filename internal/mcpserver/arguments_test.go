package mcpserver_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// raw is an argument in JSON, as a client sends it.
func raw(values map[string]string) map[string]any {
	args := map[string]any{}
	for name, value := range values {
		args[name] = json.RawMessage(value)
	}
	return args
}

// TestArgumentsAsClientsSendThem checks that values with only one possible meaning are
// accepted.
func TestArgumentsAsClientsSendThem(t *testing.T) {
	s := bridgetest.NewServed(t)
	pair := bridgetest.NewPair(t, s.Service)
	a, b := connect(t, s, pair.A), connect(t, s, pair.B)
	type sent struct {
		Message, Action string
		Files           []string
	}
	for name, c := range map[string]struct {
		args map[string]string
		want sent
	}{
		"as the schema says":     {map[string]string{"message": `"x"`, "files_involved": `["a", "b"]`}, sent{"x", "info", []string{"a", "b"}}},
		"list as JSON text":      {map[string]string{"message": `"x"`, "files_involved": `"[\"a\", \"b\"]"`}, sent{"x", "info", []string{"a", "b"}}},
		"empty list as text":     {map[string]string{"message": `"x"`, "files_involved": `"[]"`}, sent{"x", "info", []string{}}},
		"one name":               {map[string]string{"message": `"x"`, "files_involved": `"a.go"`}, sent{"x", "info", []string{"a.go"}}},
		"one name in brackets":   {map[string]string{"message": `"x"`, "files_involved": `"[slug].tsx"`}, sent{"x", "info", []string{"[slug].tsx"}}},
		"numbers as names":       {map[string]string{"message": `"x"`, "files_involved": `[1, null, ""]`}, sent{"x", "info", []string{"1"}}},
		"null for optional ones": {map[string]string{"message": `"x"`, "files_involved": `null`, "action_type": `null`, "token": `null`, "idempotency_key": `null`}, sent{"x", "info", []string{}}},
		"empty optional ones":    {map[string]string{"message": `"x"`, "files_involved": `""`, "action_type": `""`, "session_id": `""`, "conversation_id": `""`}, sent{"x", "info", []string{}}},
		"a word's case":          {map[string]string{"message": `"x"`, "action_type": `" Question"`, "session_id": `"A"`}, sent{"x", "question", []string{}}},
		"wrapped credentials":    {map[string]string{"message": `"x"`, "conversation_id": mustJSON(" `" + pair.A.Conversation + "` "), "token": mustJSON("\"" + pair.A.Token + "\"\n")}, sent{"x", "info", []string{}}},
		"a number as text":       {map[string]string{"message": `5.50`}, sent{"5.50", "info", []string{}}},
		"text that was parsed":   {map[string]string{"message": `{"ok":[true,"<a>"]}`}, sent{`{"ok":[true,"<a>"]}`, "info", []string{}}},
		"a name's spelling":      {map[string]string{"message": `"x"`, "filesInvolved": `["a"]`, "Action-Type": `"blocked"`}, sent{"x", "blocked", []string{"a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			text, data, failed := call(t, a, "send_to_partner", raw(c.args))
			if failed || data["ignored_arguments"] != nil {
				t.Fatalf("%v %s", data, text)
			}
			_, got, _ := call(t, b, "check_messages", raw(map[string]string{"limit": `"1"`, "wait_seconds": `"0"`}))
			m := got["messages"].([]any)[0].(map[string]any)
			files := []string{}
			for _, f := range m["files_involved"].([]any) {
				files = append(files, f.(string))
			}
			if diff := cmp.Diff(c.want, sent{m["message"].(string), m["action_type"].(string), files}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func mustJSON(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// TestUnknownArgumentsAreNamed checks that a call with unknown arguments succeeds and that
// its answer lists them. Clients add arguments of their own, and models invent some.
func TestUnknownArgumentsAreNamed(t *testing.T) {
	s := bridgetest.NewServed(t)
	client := connect(t, s, bridgetest.NewPair(t, s.Service).A)
	secret := strings.Repeat("a secret in the wrong place ", 20)
	text, data, failed := call(t, client, "send_to_partner", map[string]any{
		"message": "x", "toolCallId": "call_1", "explanation": "because", "_meta": map[string]any{}, "wait_for_previous": true, secret: 1,
	})
	want := []any{"(other)", "_meta", "explanation", "toolCallId", "wait_for_previous"}
	if diff := cmp.Diff(want, data["ignored_arguments"]); failed || diff != "" {
		t.Errorf("failed: %t\n%s", failed, diff)
	}
	if !strings.Contains(text, "Ignored arguments: (other), _meta,") || strings.Contains(text, "secret") {
		t.Errorf("text: %s", text)
	}
	text, data, failed = call(t, client, "send_to_partner", map[string]any{"mesage": "x"})
	if !failed || !strings.Contains(text, "message is missing") || !strings.HasSuffix(text, "\nIgnored arguments: mesage.") || data["ignored_arguments"] == nil {
		t.Errorf("misspelled: %s %v", text, data)
	}
	many := map[string]any{}
	for _, letter := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		many[letter] = 1
	}
	if _, data, failed := call(t, client, "list_tasks", many); failed || len(data["ignored_arguments"].([]any)) != 11 {
		t.Errorf("many: %v", data)
	}
}

// TestArgumentsInOneText checks that the arguments may be sent as JSON text, as some
// clients do.
func TestArgumentsInOneText(t *testing.T) {
	s := bridgetest.NewServed(t)
	pair := bridgetest.NewPair(t, s.Service)
	answers := dialogue(t, s,
		line(1, "initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "x", "version": "1"}}),
		line(2, "tools/call", map[string]any{"name": "create_conversation", "arguments": "x"}),
		line(3, "tools/call", map[string]any{"name": "update_my_status", "arguments": map[string]any{
			"status": "working", "conversation_id": pair.A.Conversation, "session_id": "a", "token": pair.A.Token,
		}}),
		line(4, "tools/call", map[string]any{"name": "create_conversation", "arguments": `{"my_role": "backend", "partner_role": "frontend"}`}))
	if !strings.Contains(string(answers["2"]), "must be a JSON object") || !strings.Contains(string(answers["3"]), `"status":"working"`) {
		t.Errorf("got %s\n%s", answers["2"], answers["3"])
	}
	if !strings.Contains(string(answers["4"]), "session_a_token") {
		t.Errorf("arguments as text: %s", answers["4"])
	}
}

// TestWholeNumbersAsClientsWriteThem checks the forms in which clients send integers. JSON
// has one number type, and some clients send every number as a fraction or as text.
func TestWholeNumbersAsClientsWriteThem(t *testing.T) {
	c := connect(t, bridgetest.NewServed(t), bridge.Credentials{})
	call(t, c, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	for _, number := range []string{"20", "20.0", "2e1", "2.0E+1", `"20"`, `" 20.0 "`, `""`, "null", "0"} {
		text, _, failed := call(t, c, "check_messages", map[string]any{"limit": json.RawMessage(number), "wait_seconds": json.RawMessage("0.0")})
		if failed {
			t.Errorf("limit %s: %s", number, text)
		}
	}
	for _, number := range []string{"20.5", "1e300", "-2e1", "1e400", `"0x14"`, `"twenty"`, `"2_0"`, `"NaN"`, "true", "[20]"} {
		text, _, failed := call(t, c, "get_history", map[string]any{"limit": json.RawMessage(number)})
		if !failed || !strings.Contains(text, "limit must be ") {
			t.Errorf("limit %s: %s", number, text)
		}
	}
	for _, word := range []string{`"true"`, `"False"`, "1", "0", `""`, "null"} {
		if text, _, failed := call(t, c, "list_tasks", map[string]any{"ended": json.RawMessage(word)}); failed {
			t.Errorf("ended %s: %s", word, text)
		}
	}
	for _, word := range []string{`"yes"`, "2", "[true]", "{}"} {
		if text, _, failed := call(t, c, "list_tasks", map[string]any{"ended": json.RawMessage(word)}); !failed || !strings.Contains(text, "ended must be true or false") {
			t.Errorf("ended %s: %s", word, text)
		}
	}
}
