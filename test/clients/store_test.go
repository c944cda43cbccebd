package clients_test

import "encoding/json"

// stored is a conversation as the operator sees it.
type stored struct {
	Conversation struct {
		ID       string `json:"conversation_id"`
		Messages int    `json:"messages"`
		Unread   int    `json:"unread"`
	} `json:"conversation"`
	Messages []struct {
		From    string `json:"from"`
		Message string `json:"message"`
	} `json:"messages"`
}

// texts returns the messages, oldest first, each preceded by its sender.
func (s stored) texts() (texts []string) {
	for _, m := range s.Messages {
		texts = append(texts, m.From+": "+m.Message)
	}
	return texts
}

// onlyConversation returns the only conversation of the store, after checking
// the audit log.
func (u *user) onlyConversation() stored {
	u.Helper()
	u.want(u.run(bridgeProgram, "audit", "verify"), "ok: ")
	var list struct {
		Conversations []struct {
			ID string `json:"conversation_id"`
		}
	}
	u.decode(u.run(bridgeProgram, "list", "--json"), &list)
	if len(list.Conversations) != 1 {
		u.Fatalf("the store has %d conversations", len(list.Conversations))
	}
	var s stored
	u.decode(u.run(bridgeProgram, "show", list.Conversations[0].ID, "--json"), &s)
	return s
}

func (u *user) decode(text string, into any) {
	u.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		u.Fatalf("%v: %s", err, text)
	}
}
