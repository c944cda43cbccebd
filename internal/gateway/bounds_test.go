package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
	"example.org/bridge/internal/mcpserver"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// everyOperation is the interface that a gateway offers to bridge on other machines.
type everyOperation interface {
	mcpserver.Bridge
	operation.Beside
}

// boundKey creates a key that is restricted to some conversations.
func (p *place) boundKey(t *testing.T, name string, conversations ...string) (id, secret string) {
	t.Helper()
	k, secret, err := p.keys.Add(t.Context(), name, access.Agent, time.Hour, conversations...)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID, secret
}

// proofs are what authorizes a caller: the credentials of a session, and a claim on its
// messages.
type proofs struct {
	bridge.Credentials
	claim bridge.Claim
}

// filled returns a value of the type in which all credentials and claims are c's, and every
// list has one element.
func filled(of reflect.Type, c proofs) reflect.Value {
	v := reflect.New(of).Elem()
	switch {
	case of == reflect.TypeFor[bridge.Credentials]():
		v.Set(reflect.ValueOf(c.Credentials))
	case of == reflect.TypeFor[bridge.Claim]():
		v.Set(reflect.ValueOf(c.claim))
	case of == reflect.TypeFor[time.Time]():
	case of.Kind() == reflect.Struct:
		for i := range of.NumField() {
			if of.Field(i).IsExported() {
				v.Field(i).Set(filled(of.Field(i).Type, c))
			}
		}
	case of.Kind() == reflect.Slice:
		v.Set(reflect.Append(v, filled(of.Elem(), c)))
	}
	return v
}

// argumentsOf returns the body of a request for an operation, with arguments filled from c.
func argumentsOf(method reflect.Type, c proofs) string {
	all := []any{}
	for n := 1; n < method.NumIn(); n++ {
		if method.In(n).Kind() != reflect.Chan && method.In(n) != reflect.TypeFor[error]() {
			all = append(all, filled(method.In(n), c).Interface())
		} else if method.In(n) == reflect.TypeFor[error]() {
			all = append(all, operation.Blamed{})
		}
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// TestBoundKeyReachesNoOtherOperation calls every operation with valid credentials of a
// conversation that the key does not cover, or with a valid claim on messages there.
// Operations added later are called as well.
func TestBoundKeyReachesNoOtherOperation(t *testing.T) {
	t.Parallel()
	p := newPlace(t, func(o *gateway.Options) { o.Operations = reflect.TypeFor[everyOperation]() })
	free := p.key(t, "free", access.Agent)
	in, out := p.pairOf(t, free), p.pairOf(t, free)
	id, secret := p.boundKey(t, "bound", in.A.Conversation)
	if _, err := p.served.Send(t.Context(), out.B, bridge.SendRequest{Text: "not for the bound key"}); err != nil {
		t.Fatal(err)
	}
	taken := must(p.served.Check(t.Context(), out.A, bridge.CheckRequest{}, nil))(t)
	if len(taken.Messages) != 1 || taken.Claim.ID == 0 {
		t.Fatalf("nothing was handed out: %+v", taken)
	}
	before := must(p.served.HistoryWithin(t.Context(), out.A, 0, 10, bridge.PageBytes))(t)
	// Operations that do not answer with out_of_bounds, and their answers.
	harmless := map[string]string{
		"Standing":       `[{"Now":"0001-01-01T00:00:00Z","ExpiresAt":"0001-01-01T00:00:00Z","Unread":0,"Shared":null},false]`,
		"AwaitMail":      `{"now":`,               // the same answer as for any caller: the message may be there
		"SessionOf":      `{"results":["b"]`,      // the same answer as for a token without a session
		"Told":           `"code":"unauthorized"`, // the operation only handles authenticated sessions
		"JudgeChange":    `"code":"unauthorized"`,
		"RecordChange":   `"code":"unauthorized"`,
		"WatchResources": `{"results":[["gone"]]`, // as for a resource that may no longer be read
		"ListResources":  `{"results":[null]`,     // an empty list
		"Join":           `"Field":"join_code"`,   // the store tests use a valid code
		"RefuseOpenCall": `"Problem":"is wrong"`,
	}
	for method := range reflect.TypeFor[everyOperation]().Methods() {
		if method.Type.NumIn() == 0 || method.Type.In(0) != reflect.TypeFor[context.Context]() {
			continue
		}
		status, _, body := p.raw(t, secret, "POST", operation.Path+method.Name, argumentsOf(method.Type, proofs{out.A, taken.Claim}), nil)
		want, known := harmless[method.Name]
		switch {
		case !known && (status != 403 || !strings.Contains(body, `"code":"out_of_bounds"`)):
			t.Errorf("%s: %d %s", method.Name, status, body)
		case known && !strings.Contains(body, want):
			t.Errorf("%s: %d %s, want %s", method.Name, status, body, want)
		}
		if strings.Contains(body, "not for the bound key") || strings.Contains(body, out.B.Token) {
			t.Errorf("%s reveals data of the other conversation: %s", method.Name, body)
		}
	}
	after := must(p.served.HistoryWithin(t.Context(), out.A, 0, 10, bridge.PageBytes))(t)
	if !reflect.DeepEqual(after.Messages, before.Messages) {
		t.Errorf("the other conversation has changed: %+v", after.Messages)
	}
	if err := p.served.GiveBack(t.Context(), taken.Claim); err != nil {
		t.Error(err)
	}
	if mail := must(p.served.CountMail(t.Context(), out.A))(t); mail.Unread != 1 {
		t.Errorf("its messages were read: %+v", mail)
	}
	var actions []string
	for _, e := range must(p.served.AuditEntries(t.Context(), bridge.AuditQuery{Conversation: out.A.Conversation, Limit: 1000}))(t) {
		if e.Outcome == bridge.OutcomeRefused && strings.Contains(fmt.Sprint(e.Details), "key "+id) {
			actions = append(actions, e.Action)
		}
	}
	for _, action := range []string{"send_to_partner", "check_messages", "get_history", "file_write", "claim_file", "log_step", "assign_task", "heartbeat", "peek_messages", "invite_to_conversation", "standing", "await_mail", "count_mail", "messages_delivered", "messages_given_back", "messages_kept"} {
		if !slices.Contains(actions, action) {
			t.Errorf("the refusal of %s has no log entry with the key; there are %q", action, actions)
		}
	}
}

// TestBoundKeyOverMCP checks a restricted key with tools, resources and both kinds of
// streams.
func TestBoundKeyOverMCP(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	create := func() (bridge.Credentials, string) {
		c := must(p.served.Create(t.Context(), bridge.CreateRequest{MyRole: "one", PartnerRole: "two"}))(t)
		return bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB}, c.JoinCode
	}
	in, code := create()
	out, foreign := create()
	_, secret := p.boundKey(t, "bound", in.Conversation)
	client := p.agent(t, secret)
	arguments := func(c bridge.Credentials) map[string]any {
		return map[string]any{"conversation_id": c.Conversation, "session_id": string(c.Session), "token": c.Token, "message": "hello"}
	}
	if joined := tool(t, client, "join_conversation", map[string]any{"join_code": code}); joined["token"] != in.Token {
		t.Errorf("joined: %v", joined)
	}
	if _, err := try(client, "join_conversation", map[string]any{"join_code": foreign}); err == nil || !strings.Contains(err.Error(), "out_of_bounds") {
		t.Errorf("joined another: %v", err)
	}
	if sent := tool(t, client, "send_to_partner", arguments(in)); sent["seq"] != float64(1) {
		t.Errorf("within its bounds: %v", sent)
	}
	if _, err := try(client, "send_to_partner", arguments(out)); err == nil || !strings.Contains(err.Error(), "out_of_bounds") {
		t.Errorf("out of its bounds: %v", err)
	}
	if _, err := try(client, "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"}); err == nil || !strings.Contains(err.Error(), "out_of_bounds") {
		t.Errorf("a conversation of its own: %v", err)
	}
	uri := func(c bridge.Credentials) string { return "collaboration://" + c.Conversation }
	for name, tt := range map[string]struct {
		of    bridge.Credentials
		found bool
	}{"within": {in, true}, "out of bounds": {out, false}} {
		_, _, read := p.raw(t, secret, "POST", "/mcp", rpc("resources/read", map[string]any{"uri": uri(tt.of)}), legacy)
		if strings.Contains(read, `"contents"`) != tt.found {
			t.Errorf("%s: reading: %s", name, read)
		}
		header := p.initialized(t, secret)
		_, _, followed := p.raw(t, secret, "POST", "/mcp", rpc("resources/subscribe", map[string]any{"uri": uri(tt.of)}), header)
		if strings.Contains(followed, `"error"`) == tt.found {
			t.Errorf("%s: subscribing: %s", name, followed)
		}
	}
	_, status := p.open(t, secret, "POST", listenBody(1, map[string]any{"resourceSubscriptions": []string{uri(in)}}), listenHeader())
	if status != 200 {
		t.Errorf("listening within its bounds: %d", status)
	}
	if _, status := p.open(t, secret, "POST", listenBody(1, map[string]any{"resourceSubscriptions": []string{uri(in), uri(out)}}), listenHeader()); status == 200 {
		t.Error("it can listen outside its bounds")
	}
}

// everything is a conversation with all kinds of content, each text marked with a unique
// prefix.
type everything struct {
	bridgetest.Pair
	task int64
}

// fill creates a conversation with messages, a file, a step, a claim and a task, whose
// texts all begin with mark.
func (p *place) fill(t *testing.T, mark string, held ...bridge.Credentials) everything {
	t.Helper()
	c := must(p.served.Create(t.Context(), bridge.CreateRequest{MyRole: mark + "-lead", PartnerRole: mark + "-worker", Team: "build", Holds: held}))(t)
	of := func(session bridge.SessionID, token string) bridge.Credentials {
		return bridge.Credentials{Conversation: c.ID, Session: session, Token: token}
	}
	e := everything{Pair: bridgetest.Pair{A: of("a", c.TokenA), B: of("b", c.TokenB)}}
	must(p.served.Send(t.Context(), e.A, bridge.SendRequest{Text: mark + "-message", Files: []string{mark + "-named.md"}}))(t)
	must(p.served.Send(t.Context(), e.B, bridge.SendRequest{Text: mark + "-message"}))(t) // so that no message is unread
	must(p.served.WriteFile(t.Context(), e.A, files.WriteRequest{Name: files.Name{Path: mark + "-file.md"}, Text: mark + "-text"}))(t)
	must(p.served.LogStep(t.Context(), e.A, steps.LogRequest{Text: mark + "-step"}))(t)
	must(p.served.Take(t.Context(), e.A, claims.Request{Paths: []string{mark + "-claim.md"}, Reason: mark + "-reason"}))(t)
	e.task = must(p.served.AssignTask(t.Context(), e.A, tasks.AssignRequest{Title: mark + "-title", Body: mark + "-body", To: "b"}))(t).Task.ID
	return e
}

// TestBoundKeySeesNothingOfOthers checks that no answer to a restricted key with valid
// credentials of its own conversation reveals anything about another conversation. Of a
// conversation of the same team it may see the tasks and claims, as docs/machines.md says,
// but no messages or shared data.
func TestBoundKeySeesNothingOfOthers(t *testing.T) {
	t.Parallel()
	p := newPlace(t, func(o *gateway.Options) {
		o.Operations = reflect.TypeFor[everyOperation]()
		o.Endpoint = func(access.Key) gateway.Endpoint {
			return endpoint(o.Bridge.(mcpserver.Bridge), mcpserver.Options{Log: o.Log, Bindings: binding.Folder{}, Tools: mcpserver.Groups()})
		}
	})
	own := p.fill(t, "own")
	mate := p.fill(t, "mate", own.A)
	stranger := p.fill(t, "stranger")
	_, secret := p.boundKey(t, "bound", own.A.Conversation)
	told := ""
	web := p.web(secret)
	ask := func(path, body string) {
		t.Helper()
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+p.address+path, strings.NewReader(body)))(t)
		r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {"2025-06-18"}}
		answer, err := web.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		text := must(io.ReadAll(answer.Body))(t)
		told += string(text) + "\n"
	}
	for _, c := range []bridge.Credentials{own.A, own.B} {
		for method := range reflect.TypeFor[everyOperation]().Methods() {
			if method.Type.NumIn() > 0 && method.Type.In(0) == reflect.TypeFor[context.Context]() {
				ask(operation.Path+method.Name, argumentsOf(method.Type, proofs{Credentials: c}))
			}
		}
		call := func(tool string, more map[string]any) {
			arguments := map[string]any{"conversation_id": c.Conversation, "session_id": string(c.Session), "token": c.Token}
			maps.Copy(arguments, more)
			ask("/mcp", callOf(tool, arguments))
		}
		call("get_history", nil)
		call("check_partner_status", nil)
		call("list_tasks", map[string]any{"ended": true})
		call("file_read", nil)
		ask("/mcp", callOf("list_conversations", map[string]any{}))
		ask("/mcp", rpc("resources/list", map[string]any{}))
		for _, of := range []everything{own, mate, stranger} {
			call("list_tasks", map[string]any{"task_id": of.task})
			call("file_read", map[string]any{"task_id": of.task})
			call("update_task", map[string]any{"task_id": of.task, "state": "progress", "note": "x"})
			for _, mark := range []string{"own", "mate", "stranger"} {
				call("file_read", map[string]any{"path": mark + "-file.md", "task_id": of.task})
				call("file_read", map[string]any{"path": mark + "-file.md"})
			}
			for _, uri := range []string{
				"collaboration://" + of.A.Conversation, "agents://" + of.A.Conversation + "/a/status", "workspace://" + of.A.Conversation + "/stranger-file.md",
				"workspace://" + of.A.Conversation + "/mate-file.md", fmt.Sprintf("tasks://%d/state", of.task), fmt.Sprintf("tasks://%d/logs", of.task), fmt.Sprintf("tasks://%d/files", of.task),
			} {
				ask("/mcp", rpc("resources/read", map[string]any{"uri": uri}))
				ask(operation.Path+"ReadResource", string(must(json.Marshal([]any{[]bridge.Credentials{c}, uri}))(t)))
			}
		}
		call("claim_file", map[string]any{"paths": []string{"**"}})
		call("release_file", nil)
	}
	for _, visible := range []string{"own-message", "own-text", "own-step", "own-title", "own-body", "own-named.md", "mate-title"} {
		if !strings.Contains(told, visible) {
			t.Errorf("%s was not seen: this test asks for too little", visible)
		}
	}
	for _, hidden := range []string{
		stranger.A.Conversation, "stranger-lead", "stranger-message", "stranger-named", "stranger-text", "stranger-step", "stranger-claim", "stranger-reason", "stranger-title", "stranger-body",
		"mate-message", "mate-named", "mate-text", "mate-step",
		mate.A.Token, mate.B.Token, stranger.A.Token, stranger.B.Token,
	} {
		if i := strings.Index(told, hidden); i >= 0 {
			t.Errorf("%s was told: …%s", hidden, told[max(0, i-200):min(len(told), i+200)])
		}
	}
}
