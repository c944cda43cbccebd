package clients_test

import (
	"testing"

	"example.org/bridge/test/clients/stub"
)

// TestPromptsAreCommands checks that users can type the server's prompts as
// commands, and that the model gets the text of the prompt. Gemini CLI accepts an
// optional argument only by name.
func TestPromptsAreCommands(t *testing.T) {
	for name, c := range map[string]struct {
		client
		command string
		want    []string
	}{
		"claude start": {claude, "/mcp__bridge__start backend frontend", []string{"Call create_conversation", "backend", "frontend"}},
		"claude join":  {claude, "/mcp__bridge__join R8T52-GN3ZK", []string{"Call join_conversation", "R8T52-GN3ZK"}},
		"gemini start": {gemini, `/start --my_role="backend" --partner_role="frontend"`, []string{"Call create_conversation", "backend", "frontend"}},
		"gemini join":  {gemini, "/join R8T52-GN3ZK", []string{"Call join_conversation", "R8T52-GN3ZK"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, c.client)
			u.install(c.client)
			s := u.seat(c.client, func(a *stub.Agent) {
				for _, part := range c.want {
					u.want(a.Request().Said(), part)
				}
				a.Say("I will.")
			})
			u.want(s.prompt(c.command).out, "I will.")
		})
	}
}
