package clients_test

import (
	"testing"
)

// TestMoreClientsSeeInstalledBridge checks that the clients for which only the
// server is installed read what `bridge install` wrote and, if listing servers
// starts them, connect to it, and that uninstalling leaves nothing behind.
func TestMoreClientsSeeInstalledBridge(t *testing.T) {
	for program, c := range map[string]struct {
		list []string
		want string
		env  []string
	}{
		"opencode": {list: []string{"mcp", "list"}, want: "connected"},
		"qwen":     {list: []string{"mcp", "list"}, want: "Connected"},
		"copilot":  {list: []string{"mcp", "list"}, want: "bridge (local)"},
		"cline":    {list: []string{"mcp", "uninstall", "bridge"}, want: "Uninstalled MCP server bridge"}, // it lists servers only at a terminal
		// Amp requires a key before it does anything, but starts servers before it uses the
		// key.
		"amp": {list: []string{"mcp", "doctor"}, want: "connected (13 tools", env: []string{"AMP_API_KEY=none", "AMP_URL=http://127.0.0.1:9"}},
	} {
		t.Run(program, func(t *testing.T) {
			u := newUser(t, client{title: program, program: program})
			u.env = append(u.env, c.env...)
			u.want(u.run(bridgeProgram, "install", program), "is connected")
			out := u.run(program, c.list...)
			u.want(out, "bridge")
			u.want(out, c.want)
			u.run(bridgeProgram, "uninstall", program)
			if files := u.left(".config", ".qwen", ".copilot", ".cline", ".amp"); len(files) > 0 {
				t.Errorf("uninstall left something in %v", files)
			}
		})
	}
}
