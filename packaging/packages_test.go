// Package packaging_test checks that what is published in the clients'
// catalogues fits the program: the same version, the same hooks, the existing
// tools.
package packaging_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/agents"
)

// read decodes a JSON file of the repository.
func read(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

func TestOneVersion(t *testing.T) {
	versions := map[string]any{}
	for _, name := range []string{"server.json", "plugins/claude/.claude-plugin/plugin.json", "extensions/gemini/gemini-extension.json", "packaging/mcpb/manifest.json"} {
		versions[name] = read(t, name)["version"]
	}
	for platform := range npmPlatforms {
		name := "packaging/npm/" + platform + "/package.json"
		versions[name] = read(t, name)["version"]
	}
	plugin := read(t, ".claude-plugin/marketplace.json")["plugins"].([]any)[0].(map[string]any)
	versions["marketplace.json"] = plugin["version"]
	want := versions["server.json"]
	if want == nil || want == "" {
		t.Fatal("server.json has no version")
	}
	for name, got := range versions {
		if got != want {
			t.Errorf("%s has version %v, server.json %v", name, got, want)
		}
	}
	changes, err := os.ReadFile(filepath.Join("..", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	newest := regexp.MustCompile(`(?m)^## ([0-9]\S*)`).FindSubmatch(changes)
	if newest == nil || string(newest[1]) != want {
		t.Errorf("the newest section of CHANGELOG.md is %q, server.json has %v", newest, want)
	}
}

// npmPlatforms maps Go's names of the platforms that have an npm package to npm's.
var npmPlatforms = map[string][2]string{
	"linux_amd64": {"linux", "x64"}, "linux_arm64": {"linux", "arm64"},
	"darwin_amd64": {"darwin", "x64"}, "darwin_arm64": {"darwin", "arm64"},
}

// TestNPMPackages checks that the npm packages differ only in the platform, and that
// npm refuses them on any other.
func TestNPMPackages(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("npm", "*", "package.json"))
	if err != nil || len(folders) != len(npmPlatforms) {
		t.Fatalf("%v, %v", folders, err)
	}
	var first map[string]any
	for platform, words := range npmPlatforms {
		p := read(t, "packaging/npm/"+platform+"/package.json")
		if diff := cmp.Diff([]any{[]any{words[0]}, []any{words[1]}}, []any{p["os"], p["cpu"]}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", platform, diff)
		}
		delete(p, "os")
		delete(p, "cpu")
		if first == nil {
			first = p
		}
		if diff := cmp.Diff(first, p); diff != "" {
			t.Errorf("%s differs from the others:\n%s", platform, diff)
		}
	}
}

// TestSameHooks checks that the plugin and the extension install the same hooks
// as bridge install, except for the path of the program.
func TestSameHooks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: paths are quoted there")
	}
	for client, name := range map[agents.Client]string{
		agents.Claude: "plugins/claude/hooks/hooks.json",
		agents.Gemini: "extensions/gemini/hooks/hooks.json",
	} {
		home := t.TempDir()
		installer := agents.Installer{
			Place: agents.Place{Home: home, Dir: home, Getenv: func(string) string { return "" }},
			State: filepath.Join(home, "state"),
		}
		program := filepath.Join(home, "bridge")
		plan, err := installer.Install(agents.Setup{Client: client, Scope: agents.ScopeUser, Program: program, Name: agents.DefaultName})
		if err != nil {
			t.Fatal(err)
		}
		var installed any
		for _, c := range plan.Changes {
			var document map[string]any
			if err := json.Unmarshal([]byte(strings.ReplaceAll(string(c.After), filepath.ToSlash(program), "bridge")), &document); err == nil && document["hooks"] != nil {
				installed = document["hooks"]
			}
		}
		if diff := cmp.Diff(installed, read(t, name)["hooks"]); diff != "" {
			t.Errorf("%s (-install +package):\n%s", name, diff)
		}
	}
}

// TestBundleNamesTheTools checks that the manifest of the bundle lists the tools
// that every process offers.
func TestBundleNamesTheTools(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "internal", "mcpserver", "testdata", "tools", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tools: %v", err)
	}
	// Listed only with YOLO_MODE=1, or with --tools files.
	others := []string{"enable_yolo_mode", "execute_command", "claim_file", "release_file", "file_read", "file_write", "file_edit", "log_step"}
	var want, got []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !slices.Contains(others, name) {
			want = append(want, name)
		}
	}
	for _, tool := range read(t, "packaging/mcpb/manifest.json")["tools"].([]any) {
		got = append(got, tool.(map[string]any)["name"].(string))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-tools +manifest):\n%s", diff)
	}
}

func TestServerJSON(t *testing.T) {
	schema := serverSchema(t)
	if err := schema.Validate(read(t, "server.json")); err != nil {
		t.Error(err)
	}
	wrong := read(t, "server.json")
	wrong["description"] = strings.Repeat("x", 101)
	if schema.Validate(wrong) == nil {
		t.Error("the schema accepts anything")
	}
}

func serverSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "server.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// TestBundle builds the bundle for this machine twice. It must have the same
// bytes, contain a program that runs, and match the hash in server.json.
func TestBundle(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: builds the program twice")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: needs go")
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	var sums [2]string
	dir := t.TempDir()
	for i := range sums {
		out := filepath.Join(dir, fmt.Sprint(i))
		build := exec.Command("go", "run", "./scripts/mcpb", out, platform)
		build.Dir = ".."
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		var server map[string]any
		text, err := os.ReadFile(filepath.Join(out, "server.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &server); err != nil {
			t.Fatal(err)
		}
		if err := serverSchema(t).Validate(server); err != nil {
			t.Error(err)
		}
		pkg := server["packages"].([]any)[0].(map[string]any)
		sums[i] = hashOf(t, filepath.Join(out, filepath.Base(pkg["identifier"].(string))))
		if pkg["fileSha256"] != sums[i] {
			t.Errorf("server.json says %v, the bundle is %s", pkg["fileSha256"], sums[i])
		}
	}
	if sums[0] != sums[1] {
		t.Error("two builds differ")
	}
	program := unpack(t, filepath.Join(dir, "0"))
	if out, err := exec.Command(program, "version").Output(); err != nil || !strings.HasPrefix(string(out), "bridge ") {
		t.Errorf("the program in the bundle: %q, %v", out, err)
	}
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// unpack extracts the program of the bundle into a folder.
func unpack(t *testing.T, dir string) string {
	t.Helper()
	bundles, err := fs.Glob(os.DirFS(dir), "*.mcpb")
	if err != nil || len(bundles) != 1 {
		t.Fatalf("%v, %v", bundles, err)
	}
	archive, err := zip.OpenReader(filepath.Join(dir, bundles[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	for _, f := range archive.File {
		if !strings.HasPrefix(f.Name, "server/") {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), filepath.Base(f.Name))
		if err := os.WriteFile(path, text, f.Mode()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Fatal("the bundle has no program")
	return ""
}
