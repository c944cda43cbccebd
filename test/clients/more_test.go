package clients_test

import (
	"testing"
)

// TestMoreClientsSeeInstalledBridge: the clients that get the server alone read
// what `bridge install` wrote, and, where they start servers to list them, connect
// to it; and nothing of it is left behind.
func TestMoreClientsSeeInstalledBridge(t *testing.T) {
	for program, c := range map[string]struct {
		list []string
		want string
	}{
		"opencode": {[]string{"mcp", "list"}, "connected"},
		"qwen":     {[]string{"mcp", "list"}, "Connected"},
		"copilot":  {[]string{"mcp", "list"}, "bridge (local)"},
		"cline":    {[]string{"mcp", "uninstall", "bridge"}, "Uninstalled MCP server bridge"}, // it lists them at a terminal only
	} {
		t.Run(program, func(t *testing.T) {
			u := newUser(t, client{title: program, program: program})
			u.want(u.run(bridgeProgram, "install", program), "is connected")
			out := u.run(program, c.list...)
			u.want(out, "bridge")
			u.want(out, c.want)
			u.run(bridgeProgram, "uninstall", program)
			if files := u.left(".config", ".qwen", ".copilot", ".cline"); len(files) > 0 {
				t.Errorf("uninstall left something in %v", files)
			}
		})
	}
}
