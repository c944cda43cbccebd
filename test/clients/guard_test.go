package clients_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// writing are settings that let a client's agent write without permission, so that
// only the guard can prevent it.
func writing(c client) client {
	usual := c.args
	extra := map[string][]string{
		"claude": {"--permission-mode", "acceptEdits", "--allowedTools", "Bash,Edit,Write,mcp__" + stub.Server},
		"codex":  {"--dangerously-bypass-approvals-and-sandbox"},
	}[c.program]
	c.args = func(url, prompt, session string) []string {
		return slices.Concat(usual(url, prompt, session), extra)
	}
	return c
}

const (
	claimedFile = "src/claimed.txt"
	freeFile    = "src/free.txt"
)

// twoFiles is a patch of two files, of which one is claimed.
const twoFiles = `*** Begin Patch
*** Update File: ` + freeFile + `
@@
-before
+after
*** Update File: ` + claimedFile + `
@@
-before
+after
*** End Patch`

// attempts are a client's ways to write a file with its own tools. The first two write
// one file; the others write the claimed file and another one.
func (s *seat) attempts(a *stub.Agent, file string) []func() stub.Result {
	path := filepath.Join(s.project, file)
	call := func(tool string, args stub.Args) func() stub.Result {
		return func() stub.Result { return a.CallNamed(tool, args) }
	}
	command := "echo after > " + file
	switch s.program {
	case "claude":
		return []func() stub.Result{
			call("Edit", stub.Args{"file_path": path, "old_string": "before", "new_string": "after"}),
			call("Bash", stub.Args{"command": command, "description": "write"}),
			call("Write", stub.Args{"file_path": path, "content": "after"}),
		}
	case "gemini":
		return []func() stub.Result{
			call("replace", stub.Args{"file_path": path, "old_string": "before", "new_string": "after", "instruction": "change"}),
			call("run_shell_command", stub.Args{"command": command}),
			call("write_file", stub.Args{"file_path": path, "content": "after"}),
		}
	}
	patch := "*** Begin Patch\n*** Update File: " + file + "\n@@\n-before\n+after\n*** End Patch"
	byShell := func(patch string) func() stub.Result {
		return call("exec_command", stub.Args{"cmd": "apply_patch <<'EOF'\n" + patch + "\nEOF\n"})
	}
	all := []func() stub.Result{byShell(patch), call("exec_command", stub.Args{"cmd": command})}
	if file == claimedFile {
		all = append(all, byShell(twoFiles))
	}
	if file == claimedFile {
		all = append(all, func() stub.Result { return a.CallText("apply_patch", twoFiles) })
	}
	return all
}

// TestGuard checks that an agent of a real client cannot change a file that another
// agent has claimed, with any of the client's tools. It can change free files, and
// the claimed one once the claim is released.
func TestGuard(t *testing.T) {
	for _, c := range []client{claude, codex, gemini} {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.env = append(u.env, "BRIDGE_SERVE_TOOLS=core,files")
			u.want(u.run(bridgeProgram, "install", c.program, "--guard-claims"), "is connected")
			for _, file := range []string{claimedFile, freeFile} {
				u.fill(file)
			}
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			p.call("claim_file", stub.Args{"paths": []string{claimedFile}, "seconds": 3600})

			var s *seat
			s = u.seat(writing(c), func(a *stub.Agent) {
				a.Call("join_conversation", stub.Args{"join_code": code})
				s.readBoth(a)
				for i, try := range s.attempts(a, claimedFile) {
					if got := string(try()); !strings.Contains(got, "is claimed by session a") || strings.Contains(got, "backend developer") {
						t.Errorf("attempt %d on the claimed file: %s", i, got)
					}
					for _, file := range []string{claimedFile, freeFile} {
						if text := u.text(file); text != "before\n" {
							t.Errorf("attempt %d changed %s to %q", i, file, text)
						}
					}
				}
				for i, try := range s.attempts(a, freeFile)[:2] {
					if i > 0 {
						u.fill(freeFile)
					}
					if got := try(); !strings.Contains(u.text(freeFile), "after") {
						t.Errorf("attempt %d on the free file: %s", i, got)
					}
				}
				p.call("release_file", stub.Args{})
				if got := s.attempts(a, claimedFile)[0](); !strings.Contains(u.text(claimedFile), "after") {
					t.Errorf("the file was given back: %s", got)
				}
				a.Say("Done.")
			})
			s.prompt("Join with the code.")
		})
	}
}

// readBoth reads the files, which Claude Code requires before editing them.
func (s *seat) readBoth(a *stub.Agent) {
	if s.program != "claude" {
		return
	}
	for _, file := range []string{claimedFile, freeFile} {
		a.CallNamed("Read", stub.Args{"file_path": filepath.Join(s.project, file)})
	}
}

// fill writes the initial content of a file of the project.
func (u *user) fill(file string) {
	u.Helper()
	u.write(filepath.Join("..", filepath.Base(u.project), file), "before\n")
}

func (u *user) text(file string) string {
	text, err := os.ReadFile(filepath.Join(u.project, file))
	if err != nil {
		u.Error(err)
	}
	return string(text)
}
