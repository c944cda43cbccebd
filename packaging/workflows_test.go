package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// workflow holds the parts of a GitHub workflow that are checked here.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		Timeout int `yaml:"timeout-minutes"`
		Steps   []struct {
			Run string `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

var (
	uses   = regexp.MustCompile(`(?m)uses: *(\S+)(.*)$`)
	pinned = regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40}$`)
	target = regexp.MustCompile(`\bmake ([a-z-]+)`)
)

// TestWorkflows checks that each GitHub workflow has only read permissions unless a
// job requests more, has a time limit, pins actions by digest, and uses existing
// make targets.
func TestWorkflows(t *testing.T) {
	makefile := text(t, "../Makefile")
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("only %d workflows: %v", len(files), err)
	}
	for _, file := range files {
		source := text(t, file)
		for _, use := range uses.FindAllStringSubmatch(source, -1) {
			if !pinned.MatchString(use[1]) || !strings.HasPrefix(use[2], " # v") {
				t.Errorf("%s uses %s%s: write the digest, and behind it the version as # v1.2.3", file, use[1], use[2])
			}
		}
		var w workflow
		if err := yaml.Unmarshal([]byte(source), &w); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if w.Permissions["contents"] != "read" || len(w.Permissions) != 1 {
			t.Errorf("%s has the permissions %v for all jobs, want contents: read", file, w.Permissions)
		}
		for name, job := range w.Jobs {
			if job.Timeout == 0 || len(job.Steps) == 0 {
				t.Errorf("%s, job %s: %d minutes, %d steps", file, name, job.Timeout, len(job.Steps))
			}
			for _, step := range job.Steps {
				for _, call := range target.FindAllStringSubmatch(step.Run, -1) {
					if !strings.Contains(makefile, "\n"+call[1]+":") {
						t.Errorf("%s calls make %s, which there is not", file, call[1])
					}
				}
			}
		}
	}
}

// TestDependabot checks that updates are proposed for every module.
func TestDependabot(t *testing.T) {
	list := exec.CommandContext(t.Context(), "git", "ls-files", "--", "*go.mod")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Skipf("MISSING: git and a repository around this folder: %v", err)
	}
	var want []string
	for name := range strings.Lines(string(out)) {
		if !strings.Contains(name, "testdata/") {
			want = append(want, strings.TrimSuffix("/"+filepath.ToSlash(filepath.Dir(strings.TrimSpace(name))), "/."))
		}
	}
	var found struct {
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directories []string `yaml:"directories"`
		} `yaml:"updates"`
	}
	if err := yaml.Unmarshal([]byte(text(t, "../.github/dependabot.yml")), &found); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range found.Updates {
		if u.Ecosystem == "gomod" {
			for _, d := range u.Directories {
				got = append(got, strings.TrimSuffix(d, "/"))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("dependabot looks at the modules in %q, want %q", got, want)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
