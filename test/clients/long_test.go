package clients_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// TestLongMessage checks that the longest possible message reaches the model
// completely, in as many parts as the client needs.
func TestLongMessage(t *testing.T) {
	var long strings.Builder
	for i := 0; long.Len() < 49_900; i++ {
		fmt.Fprintf(&long, "word %d, \"quoted\"; ", i)
	}
	long.WriteString("the end")
	for _, c := range clients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			p.call("send_to_partner", stub.Args{"message": long.String()})
			s := u.seat(c, func(a *stub.Agent) {
				a.Call("join_conversation", stub.Args{"join_code": code})
				var text string
				part := a.Call("check_messages", nil)
				for range 10 {
					texts, _ := part.Messages()
					if len(texts) != 1 {
						t.Errorf("a part with %d messages: %.300s … %s", len(texts), part, part[max(0, len(part)-300):])
						break
					}
					text += texts[0]
					rest := part.Rest()
					if rest == nil {
						break
					}
					part = a.Call("get_history", rest)
				}
				if text != long.String() {
					t.Errorf("the model got %d characters of %d", len(text), long.Len())
				}
				a.Say("Read.")
			})
			u.want(s.prompt("Join with the code and read.").out, "Read.")
		})
	}
}
