package clients_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// Servers of the clients themselves, to which several terminals attach. All sessions in
// a folder use the same bridge server.

// TestServedOpencode checks `opencode serve`, which has the environment of the terminal
// in which it was started, and does not report which session makes a call. Two terminals
// attached to it in one folder, and one in another, must never get each other's mail: a
// session that has joined proves it with its resume code.
func TestServedOpencode(t *testing.T) {
	u := newUser(t, opencode)
	u.install(opencode)
	p := u.partner()
	created := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"})
	p.call("send_to_partner", stub.Args{"message": mail})
	s := u.seat(opencode, func(a *stub.Agent) {
		refused := a.Call("check_messages", nil)
		wantRefused(t, refused)
		if !refused.Has("BRIDGE_TOKEN were not used: opencode's server") {
			t.Errorf("the agent is not told why: %s", refused)
		}
		code := a.Call("join_conversation", stub.Args{"join_code": created.Text("join_code")}).Text("resume_code")
		a.Say("Joined.")
		for range 2 {
			wantRefused(t, a.Call("check_messages", nil))
			wantRefused(t, a.Call("check_messages", stub.Args{"conversation_id": created.Text("conversation_id"), "session_id": "b"}))
			a.Say("Not mine.")
		}
		wantMessages(t, a.Call("check_messages", stub.Args{"token": code}), mail)
		a.Call("send_to_partner", stub.Args{"token": code, "message": reply})
		a.Say("Answered.")
	})
	other := filepath.Join(filepath.Dir(u.project), "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	url, stop := s.serve([]string{
		"BRIDGE_CONVERSATION_ID=" + created.Text("conversation_id"), "BRIDGE_SESSION_ID=b", "BRIDGE_TOKEN=" + created.Text("session_b_token"),
	})
	attach := func(folder, prompt string, more ...string) string {
		return u.run("opencode", append([]string{"run", "--attach", url, "--dir", folder, "--format", "json", "--auto", prompt}, more...)...)
	}
	joined := attach(u.project, "Join.")
	session := opencode.session.FindStringSubmatch(joined)
	if session == nil {
		t.Fatalf("no session: %s", joined)
	}
	attach(u.project, "Look for mail.")
	attach(other, "Look for mail.")
	attach(u.project, "Answer.", "--session", session[1])
	s.wantNoToken()
	if diff := cmp.Diff([]string{"a: " + mail, "b: " + reply}, u.onlyConversation().texts()); diff != "" {
		t.Error(diff)
	}
	stop()
	u.await("the end of the client's servers", func() bool { return len(u.servers()) == 0 })
}

// TestServedQwen checks `qwen serve`, which reports the session in each call; the
// variable of its server identifies none of them. The session that joined needs no
// code, and another one gets nothing.
func TestServedQwen(t *testing.T) {
	u := newUser(t, qwen)
	u.write(".qwen/settings.json", "{"+qwenQuiet+`, "ui": {"enableFollowupSuggestions": false}, "security": {"auth": {"selectedType": "openai"}}}`+"\n")
	u.install(qwen)
	p := u.partner()
	code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
	p.call("send_to_partner", stub.Args{"message": mail})
	said := make(chan string, 3)
	s := u.seat(qwen, func(a *stub.Agent) {
		prompted := func(n int) { // Qwen Code may make further requests
			for len(a.Request().Tools) == 0 || !strings.Contains(a.Request().Said(), fmt.Sprintf("Prompt %d.", n)) {
				a.Say("Nothing.")
			}
		}
		prompted(0)
		a.Call("join_conversation", stub.Args{"join_code": code})
		said <- "joined"
		a.Say("Joined.")
		prompted(1)
		wantRefused(t, a.Call("check_messages", nil))
		said <- "refused"
		a.Say("Not mine.")
		prompted(2)
		wantMessages(t, a.Call("check_messages", nil), mail)
		said <- "read"
		a.Say("Read.")
	})
	url, stop := s.serve([]string{"QWEN_DISABLE_AUTO_TITLE=1"})
	one, two := s.qwenSession(url), s.qwenSession(url)
	for i, session := range []string{one, two, one} {
		s.post(url+"/session/"+session+"/prompt", map[string]any{"prompt": []any{map[string]any{"type": "text", "text": fmt.Sprintf("Prompt %d.", i)}}})
		u.hear(said)
	}
	stop()
	u.await("the end of the client's servers", func() bool { return len(u.servers()) == 0 })
}

// serve starts the client as a server on a free port. It returns the server's address
// and a function that stops it.
func (s *seat) serve(env []string) (url string, stop func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	cmd := s.command(ctx, s.program, "serve", "--port", "0")
	cmd.Env = append(append(cmd.Env[:len(cmd.Env):len(cmd.Env)], s.client.model(s.model.URL())...), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // the same as at its terminal
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	stop = func() {
		cancel()
		_ = cmd.Wait() // it was told to end
	}
	s.Cleanup(stop)
	lines, shown := bufio.NewScanner(out), ""
	for lines.Scan() {
		shown += lines.Text() + "\n"
		if url = address.FindString(lines.Text()); url != "" {
			return url, stop
		}
	}
	s.Fatalf("%s does not serve:\n%s", s.program, shown)
	return "", nil
}

// address returns the address of a server on the loopback interface.
var address = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// qwenSession opens a session of `qwen serve` that uses tools without permission. On a
// busy machine the process of the session may take longer to start than Qwen Code waits
// for it; then Qwen Code suggests trying again.
func (s *seat) qwenSession(url string) (id string) {
	s.Helper()
	s.await("a session", func() bool {
		status, answer := s.ask(url+"/session", map[string]any{"cwd": s.project, "sessionScope": "thread", "approvalMode": "yolo"})
		if again, _ := answer["retryable"].(bool); status >= http.StatusBadRequest && !again {
			s.Fatalf("no session: %d, %v", status, answer)
		}
		id, _ = answer["sessionId"].(string)
		return id != ""
	})
	return id
}

// post sends a request that must be accepted.
func (s *seat) post(url string, body any) {
	s.Helper()
	if status, answer := s.ask(url, body); status >= http.StatusBadRequest {
		s.Fatalf("%s: %d, %v", url, status, answer)
	}
}

func (s *seat) ask(url string, body any) (status int, answer map[string]any) {
	s.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, url, strings.NewReader(string(text)))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		s.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return response.StatusCode, answer
}

// hear waits for a value from a script.
func (u *user) hear(said <-chan string) {
	u.Helper()
	u.await("the script", func() bool {
		select {
		case <-said:
			return true
		default:
			return false
		}
	})
}
