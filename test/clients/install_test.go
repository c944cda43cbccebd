package clients_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests check how the real clients, as published on npm, interpret what
// `bridge install` wrote. They need neither a model nor a network.

// left lists the client's files that still mention bridge.
func (u *user) left(folders ...string) (files []string) {
	u.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(u.home, folder), func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !entry.Type().IsRegular() || strings.Contains(path, "backup") {
				return err
			}
			switch filepath.Ext(path) {
			case ".json", ".toml", ".rules":
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if strings.Contains(string(text), bridgeProgram) {
					files = append(files, path)
				}
			}
			return nil
		})
		if err != nil {
			u.Fatal(err)
		}
	}
	return files
}

func (u *user) uninstall(client string, folders ...string) {
	u.Helper()
	u.want(u.run(bridgeProgram, "uninstall", client), "is disconnected")
	if files := u.left(folders...); len(files) > 0 {
		u.Errorf("uninstall left something in %v", files)
	}
}

func TestClaudeSeesInstalledBridge(t *testing.T) {
	u := newUser(t, claude)
	u.want(u.run(bridgeProgram, "install", "claude", "--yolo-deny-rule"), "Claude Code is connected")
	u.want(u.run("claude", "mcp", "list"), "bridge: "+bridgeProgram+" serve - ✔ Connected")
	if out := u.run("claude", "doctor"); strings.Contains(out, "Invalid settings") {
		t.Errorf("Claude Code does not read its settings:\n%s", out)
	}
	u.uninstall("claude", ".claude.json", ".claude")
	if out := u.run("claude", "mcp", "list"); strings.Contains(out, "bridge") {
		t.Errorf("still there:\n%s", out)
	}
}

// TestClaudeAsksForProjectServers checks that Claude Code does not start the
// servers in a project's file until the user agrees.
func TestClaudeAsksForProjectServers(t *testing.T) {
	u := newUser(t, claude)
	u.run(bridgeProgram, "install", "claude", "--scope", "project")
	u.want(u.run("claude", "mcp", "list"), "bridge: "+bridgeProgram+" serve - ⏸ Pending approval")
}

func TestGeminiSeesInstalledBridge(t *testing.T) {
	u := newUser(t, gemini)
	u.want(u.run(bridgeProgram, "install", "gemini", "--yolo-deny-rule"), "Gemini CLI is connected")
	u.want(u.run("gemini", "mcp", "list"), "✓ bridge: "+bridgeProgram+" serve (stdio) - Connected")
	u.uninstall("gemini", ".gemini")
}

func TestCodexSeesInstalledBridge(t *testing.T) {
	u := newUser(t, codex)
	u.want(u.run(bridgeProgram, "install", "codex", "--yolo-deny-rule"), "Codex is connected")
	u.want(u.run("codex", "mcp", "list"), bridgeProgram)

	var status struct {
		Data []struct {
			Name  string
			Tools map[string]any
		}
	}
	var hooks struct {
		Data []struct {
			Hooks []struct {
				EventName, Command string
				Enabled            bool
			}
			Warnings, Errors []any
		}
	}
	u.appServer(map[string]any{
		"mcpServerStatus/list": &status,
		"hooks/list":           &hooks,
	})
	if len(status.Data) != 1 || status.Data[0].Name != "bridge" || len(status.Data[0].Tools) < 10 {
		t.Errorf("the app server sees %+v", status)
	}
	if len(hooks.Data) != 1 || len(hooks.Data[0].Hooks) != 4 || len(hooks.Data[0].Warnings)+len(hooks.Data[0].Errors) > 0 {
		t.Errorf("the app server sees the hooks %+v", hooks)
	}

	rules := filepath.Join(u.home, ".codex", "rules", "bridge.rules")
	for _, program := range []string{"bridge", bridgeProgram} {
		u.want(u.run("codex", "execpolicy", "check", "--rules", rules, program, "yolo", "approve", "1"), `"decision":"forbidden"`)
	}
	if out := u.run("codex", "execpolicy", "check", "--rules", rules, "bridge", "list"); strings.Contains(out, "forbidden") {
		t.Errorf("bridge list is forbidden: %s", out)
	}

	// Codex itself rewrites the file; bridge's entries must still be found.
	u.run("codex", "mcp", "add", "other", "--", "/bin/cat")
	u.uninstall("codex", ".codex")
	u.want(u.run("codex", "mcp", "list"), "other")
}

// appServerTimeout is long, because the machine may be busy.
const appServerTimeout = 60 * time.Second

// appServer sends a request to Codex's app server and decodes the results.
func (u *user) appServer(questions map[string]any) {
	u.Helper()
	cmd := exec.CommandContext(u.Context(), "codex", "app-server")
	cmd.Dir, cmd.Env = u.project, u.env
	in, err := cmd.StdinPipe()
	if err != nil {
		u.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		u.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		u.Fatal(err)
	}
	timer := time.AfterFunc(appServerTimeout, func() { _ = cmd.Process.Kill() })
	defer func() {
		timer.Stop()
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	ask := func(id int, method string, params any) {
		text, _ := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
		_, _ = fmt.Fprintf(in, "%s\n", text)
	}
	ask(1, "initialize", map[string]any{"clientInfo": map[string]any{"name": "bridge test", "version": "1"}})
	_, _ = fmt.Fprintln(in, `{"method":"initialized"}`)
	waiting, id := map[int]any{}, 1
	for method, result := range questions {
		id++
		waiting[id] = result
		ask(id, method, map[string]any{"cwds": []string{u.project}})
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for len(waiting) > 0 && lines.Scan() {
		var answer struct {
			ID     int
			Result json.RawMessage
		}
		if json.Unmarshal(lines.Bytes(), &answer) != nil || waiting[answer.ID] == nil {
			continue
		}
		if err := json.Unmarshal(answer.Result, waiting[answer.ID]); err != nil {
			u.Errorf("%v: %s", err, lines.Text())
		}
		delete(waiting, answer.ID)
	}
	if len(waiting) > 0 {
		u.Fatal("the app server did not answer")
	}
}
