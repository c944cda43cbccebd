package clients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

const (
	question = "Which fields does GET /users return?"
	reply    = "id and name, both text."
)

// TestPair checks two different clients, each with its own bridge process. They
// create a conversation, join it with a code that their human passes on, ask,
// answer, and see each other's status and the history. Neither of them ever
// uses a token.
func TestPair(t *testing.T) {
	for _, other := range []client{codex, gemini} {
		t.Run("claude and "+other.title, func(t *testing.T) {
			t.Run("claude creates", func(t *testing.T) { testPair(t, claude, other) })
			t.Run("claude joins", func(t *testing.T) { testPair(t, other, claude) })
		})
	}
}

// wait makes an agent wait for mail, and retries if none came: on a busy machine the
// other client may take longer to start than one wait.
func wait(a *stub.Agent) (result stub.Result) {
	for range 3 {
		result = a.Call("check_messages", stub.Args{"wait_seconds": 50})
		if got, _ := result.Messages(); len(got) > 0 {
			break
		}
	}
	return result
}

func testPair(t *testing.T, creator, joiner client) {
	u := newUser(t, creator, joiner)
	u.install(creator, joiner)

	codes := make(chan string, 1) // the human
	frontend := u.seat(creator, func(a *stub.Agent) {
		created := a.Call("create_conversation", stub.Args{"my_role": "frontend developer", "partner_role": "backend developer"})
		codes <- created.Text("join_code")
		a.Call("send_to_partner", stub.Args{"message": question, "action_type": "question"})
		wantMessages(t, wait(a), reply)
		if status := a.Call("check_partner_status", nil).Text("status"); status != "working" {
			t.Errorf("the partner's status is %q", status)
		}
		wantMessages(t, a.Call("get_history", nil), question, reply)
		a.Call("update_my_status", stub.Args{"status": "complete"})
		a.Say("Agreed.")
	})
	backend := u.seat(joiner, func(a *stub.Agent) {
		a.Call("join_conversation", stub.Args{"join_code": stub.JoinCode.FindString(a.Request().Said())})
		wantMessages(t, wait(a), question)
		a.Call("update_my_status", stub.Args{"status": "working"})
		a.Call("send_to_partner", stub.Args{"message": reply})
		wantMessages(t, a.Call("get_history", nil), question, reply)
		a.Say("Answered.")
	})

	creating := frontend.begin("Create a bridge conversation and agree on GET /users with the backend developer.")
	code := hear(creating, codes)
	joining := backend.begin("Join the bridge conversation with code " + code + ", then wait for messages.")
	u.want(creating.end().out, "Agreed.")
	u.want(joining.end().out, "Answered.")

	seen := u.onlyConversation()
	if diff := cmp.Diff([]string{"a: " + question, "b: " + reply}, seen.texts()); diff != "" || seen.Conversation.Unread != 0 {
		t.Errorf("the store has %d unread messages, and:\n%s", seen.Conversation.Unread, diff)
	}
}
