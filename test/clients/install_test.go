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

// These tests ask the real clients, as npm has them, what they make of what
// `bridge install` wrote. They need no model and no network.

// installBox is an empty home folder with a bridge and a client.
type installBox struct {
	*testing.T
	home, project, bridge string
	env                   []string
}

// newInstallBox skips the test where the client is not to be found: in the
// folder that NODE22 names (see scripts/node22.sh), or in the PATH.
func newInstallBox(t *testing.T, client string) *installBox {
	t.Helper()
	path := os.Getenv("PATH")
	if dir := os.Getenv("NODE22"); dir != "" {
		path = filepath.Join(dir, "node_modules", ".bin") + string(os.PathListSeparator) + path
		t.Setenv("PATH", path)
	}
	if _, err := exec.LookPath(client); err != nil {
		t.Skipf("SKIPPED: %s is not installed: run scripts/test-clients.sh", client)
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &installBox{
		T:       t,
		home:    filepath.Join(root, "home"),
		project: filepath.Join(root, "project"),
		bridge:  filepath.Join(root, "bin", "bridge"),
	}
	for _, dir := range []string{b.home, b.project} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", b.bridge, "example.org/bridge/cmd/bridge")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.env = []string{"HOME=" + b.home, "PATH=" + path, "DISABLE_AUTOUPDATER=1", "GEMINI_CLI_TRUST_WORKSPACE=true"}
	return b
}

// run runs a program in the project; its exit code does not matter.
func (b *installBox) run(program string, args ...string) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...)
	cmd.Dir, cmd.Env = b.project, b.env
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	return string(out)
}

func (b *installBox) want(text, part string) {
	b.Helper()
	if !strings.Contains(text, part) {
		b.Errorf("%q is not in:\n%s", part, text)
	}
}

// left lists the files of the client's that still speak of bridge.
func (b *installBox) left(folders ...string) (files []string) {
	b.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(b.home, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || strings.Contains(path, "backup") {
				return nil
			}
			switch filepath.Ext(path) {
			case ".json", ".toml", ".rules":
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if strings.Contains(string(text), b.bridge) {
					files = append(files, path)
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return files
}

func (b *installBox) uninstall(client string, folders ...string) {
	b.Helper()
	b.want(b.run(b.bridge, "uninstall", client), "is disconnected")
	if files := b.left(folders...); len(files) > 0 {
		b.Errorf("uninstall left something in %v", files)
	}
}

func TestClaudeSeesInstalledBridge(t *testing.T) {
	b := newInstallBox(t, "claude")
	b.want(b.run(b.bridge, "install", "claude", "--yolo-deny-rule"), "Claude Code is connected")
	b.want(b.run("claude", "mcp", "list"), "bridge: "+b.bridge+" serve - ✔ Connected")
	if out := b.run("claude", "doctor"); strings.Contains(out, "Invalid settings") {
		t.Errorf("Claude Code does not read its settings:\n%s", out)
	}
	b.uninstall("claude", ".claude.json", ".claude")
	if out := b.run("claude", "mcp", "list"); strings.Contains(out, "bridge") {
		t.Errorf("still there:\n%s", out)
	}
}

// TestClaudeAsksForProjectServers: until its user agrees, Claude Code does not
// start what a project's file names.
func TestClaudeAsksForProjectServers(t *testing.T) {
	b := newInstallBox(t, "claude")
	b.run(b.bridge, "install", "claude", "--scope", "project")
	b.want(b.run("claude", "mcp", "list"), "bridge: "+b.bridge+" serve - ⏸ Pending approval")
}

func TestGeminiSeesInstalledBridge(t *testing.T) {
	b := newInstallBox(t, "gemini")
	b.want(b.run(b.bridge, "install", "gemini", "--yolo-deny-rule"), "Gemini CLI is connected")
	b.want(b.run("gemini", "mcp", "list"), "✓ bridge: "+b.bridge+" serve (stdio) - Connected")
	b.uninstall("gemini", ".gemini")
}

func TestCodexSeesInstalledBridge(t *testing.T) {
	b := newInstallBox(t, "codex")
	b.want(b.run(b.bridge, "install", "codex", "--yolo-deny-rule"), "Codex is connected")
	b.want(b.run("codex", "mcp", "list"), b.bridge)

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
	b.appServer(map[string]any{
		"mcpServerStatus/list": &status,
		"hooks/list":           &hooks,
	})
	if len(status.Data) != 1 || status.Data[0].Name != "bridge" || len(status.Data[0].Tools) < 10 {
		t.Errorf("the app server sees %+v", status)
	}
	if len(hooks.Data) != 1 || len(hooks.Data[0].Hooks) != 4 || len(hooks.Data[0].Warnings)+len(hooks.Data[0].Errors) > 0 {
		t.Errorf("the app server sees the hooks %+v", hooks)
	}

	rules := filepath.Join(b.home, ".codex", "rules", "bridge.rules")
	for _, program := range []string{"bridge", b.bridge} {
		b.want(b.run("codex", "execpolicy", "check", "--rules", rules, program, "yolo", "approve", "1"), `"decision":"forbidden"`)
	}
	if out := b.run("codex", "execpolicy", "check", "--rules", rules, "bridge", "list"); strings.Contains(out, "forbidden") {
		t.Errorf("bridge list is forbidden: %s", out)
	}

	// Codex itself writes the file anew; what is ours is found all the same.
	b.run("codex", "mcp", "add", "other", "--", "/bin/cat")
	b.uninstall("codex", ".codex")
	b.want(b.run("codex", "mcp", "list"), "other")
}

// appServerTimeout is for a machine that is busy with other things.
const appServerTimeout = 60 * time.Second

// appServer asks Codex's app server and decodes the results.
func (b *installBox) appServer(questions map[string]any) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "codex", "app-server")
	cmd.Dir, cmd.Env = b.project, b.env
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
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
		ask(id, method, map[string]any{"cwds": []string{b.project}})
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
			b.Errorf("%v: %s", err, lines.Text())
		}
		delete(waiting, answer.ID)
	}
	if len(waiting) > 0 {
		b.Fatal("the app server did not answer")
	}
}
