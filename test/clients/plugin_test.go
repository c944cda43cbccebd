package clients_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// TestClaudePlugin checks that the plugin provides the server and its hooks,
// without `bridge install`.
func TestClaudePlugin(t *testing.T) {
	plugin := claude
	plugin.args = func(url, prompt, session string) []string {
		return append(claude.args(url, prompt, session), "--plugin-dir", repository(t, "plugins", "claude"), "--allowedTools", "mcp__plugin_bridge_bridge")
	}
	u := newUser(t, plugin)
	testBroughtAlong(u, plugin, "mcp__plugin_bridge_bridge__")
}

// TestGeminiExtension checks the same for the extension.
func TestGeminiExtension(t *testing.T) {
	u := newUser(t, gemini)
	u.env = append(u.env, "GEMINI_API_KEY="+noKey)
	u.run("gemini", "extensions", "install", repository(t, "extensions", "gemini"), "--consent")
	testBroughtAlong(u, gemini, "mcp_bridge_")
}

// testBroughtAlong checks that a client joins, is told of mail at the end of
// its turn, and fetches it. Its tools have names of their own.
func testBroughtAlong(u *user, c client, prefix string) {
	u.Helper()
	u.env = append(u.env, "PATH="+filepath.Dir(bridgeProgram)+string(os.PathListSeparator)+os.Getenv("PATH"))
	p := u.partner()
	code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
	s := u.seat(c, func(a *stub.Agent) {
		a.CallNamed(prefix+"join_conversation", stub.Args{"join_code": code})
		p.call("send_to_partner", stub.Args{"message": mail})
		a.Say("I have finished.")
		wantTold(u.T, a, true)
		wantMessages(u.T, a.CallNamed(prefix+"check_messages", nil), mail)
		a.Say("There was mail.")
	})
	u.want(s.prompt("Join with the code.").out, "There was mail.")
}

// repository returns a path in this repository.
func repository(t *testing.T, elements ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", ".."}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
