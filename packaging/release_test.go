package packaging_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// formulaOf makes the formula of a folder, like a release.
func formulaOf(t *testing.T, version, folder string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "run", "../scripts/formula", "-version", version, folder).CombinedOutput()
	return string(out), err
}

// TestFormula checks that the formula contains the address and digest of each archive,
// and that nothing is written if an archive is missing.
func TestFormula(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: needs go")
	}
	dir := t.TempDir()
	want := map[string]string{}
	var last string
	for _, platform := range []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"} {
		last = filepath.Join(dir, "bridge_1.2.3_"+platform+".tar.gz")
		if err := os.WriteFile(last, []byte(platform), 0o600); err != nil {
			t.Fatal(err)
		}
		want["https://example.org/bridge/releases/download/v1.2.3/"+filepath.Base(last)] = hashOf(t, last)
	}
	if out, err := formulaOf(t, "1.2.3", dir); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path := filepath.Join(dir, "bridge.rb")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, match := range regexp.MustCompile(`url "(.+)"\n +sha256 "(.+)"\n`).FindAllSubmatch(text, -1) {
		got[string(match[1])] = string(match[2])
	}
	if !maps.Equal(got, want) {
		t.Errorf("the formula names %v, want %v", got, want)
	}
	if ruby, err := exec.LookPath("ruby"); err != nil {
		t.Log("SKIPPED: the formula's syntax, there is no ruby")
	} else if out, err := exec.CommandContext(t.Context(), ruby, "-wc", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "Syntax OK") {
		t.Errorf("ruby: %v: %s", err, out)
	}
	if out, err := formulaOf(t, "v1.2.3", dir); err == nil || !strings.Contains(out, "without v") {
		t.Errorf("a tag as version: %v: %s", err, out)
	}
	if err := os.Remove(last); err != nil {
		t.Fatal(err)
	}
	if out, err := formulaOf(t, "1.2.3", dir); err == nil || !strings.Contains(out, filepath.Base(last)) {
		t.Errorf("without one archive: %v: %s", err, out)
	}
}

// TestBundlesOfARelease checks that bundles contain the programs built by a
// release, and that a release whose tag differs from the packages' version is
// refused.
func TestBundlesOfARelease(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: needs go")
	}
	version := read(t, "server.json")["version"].(string)
	dist, out := t.TempDir(), t.TempDir()
	for folder, name := range map[string]string{"bridge_linux_amd64_v1": "bridge", "bridge_windows_arm64_v8.0": "bridge.exe"} {
		if err := os.Mkdir(filepath.Join(dist, folder), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dist, folder, name), []byte(folder), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bundles := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "-C", "..", "./scripts/mcpb", "-programs", dist}, args...)...)
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	if text, err := bundles("-version", version, out, "linux/amd64"); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	program, err := os.ReadFile(unpack(t, out))
	if err != nil || string(program) != "bridge_linux_amd64_v1" {
		t.Errorf("the bundle has the program %q, %v", program, err)
	}
	for _, refused := range []struct{ version, platform, says string }{
		{"99.0.0", "linux/amd64", "server.json says " + version},
		{version, "darwin/arm64", "0 programs"},
	} {
		if text, err := bundles("-version", refused.version, t.TempDir(), refused.platform); err == nil || !strings.Contains(text, refused.says) {
			t.Errorf("%v: %v: %s", refused, err, text)
		}
	}
	if text, err := bundles("-version", "99.0.0-SNAPSHOT-1", out, "windows/arm64"); err != nil {
		t.Errorf("a snapshot: %v: %s", err, text)
	}
	files, err := os.ReadDir(out)
	if err != nil || !slices.ContainsFunc(files, func(f os.DirEntry) bool { return f.Name() == "bridge-99.0.0-SNAPSHOT-1-windows-arm64.mcpb" }) {
		t.Errorf("%v, %v", files, err)
	}
}
