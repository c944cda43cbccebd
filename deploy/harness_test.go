package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"

	"example.org/bridge/internal/harness/service"
)

const harnessRules = "prometheus/harness.rules.yml"

// scrape returns the metrics of a service of the harness after a run.
func scrape(t *testing.T) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := service.New(service.Options{
			Every: time.Hour, Baseline: []float64{1},
			Run: func(context.Context, string) service.Result {
				return service.Result{Started: time.Now(), Passed: 1, Failed: 1, Times: []time.Duration{time.Second}, Findings: map[string]int{"crash": 1}}
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.Keep(ctx)
		var out bytes.Buffer
		must(t, s.Figures(&out))
		text = out.String()
	})
	return text
}

// harnessExpressions are the expressions of the rules and of the dashboard, by where
// they occur.
func harnessExpressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	content, err := os.ReadFile(harnessRules)
	must(t, err)
	var r rules
	must(t, yaml.Unmarshal(content, &r))
	for _, g := range r.Groups {
		for _, one := range g.Rules {
			all["alert "+one.Alert] = one.Expr
		}
	}
	for title, expr := range dashboard(t, "harness", "mcp-test-harness") {
		all["panel "+title] = expr
	}
	if len(all) < 18 {
		t.Fatalf("only %d expressions were read", len(all))
	}
	return all
}

// dashboard returns the expressions of its panels, with the variables that
// Grafana would substitute.
func dashboard(t *testing.T, name, job string) map[string]string {
	t.Helper()
	content, err := os.ReadFile("grafana/" + name + ".json")
	must(t, err)
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal(content, &board))
	all := map[string]string{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all[strings.TrimSpace(p.Title+" "+target.Expr)] = strings.NewReplacer("$__rate_interval", "5m", "$job", job).Replace(target.Expr)
		}
	}
	return all
}

// TestHarnessFigures checks that each alert and each panel uses metrics that the service
// provides, with labels that they have, and that docs/harness.md says what to do about
// each alert.
func TestHarnessFigures(t *testing.T) {
	text := scrape(t)
	docs, err := os.ReadFile("../docs/harness.md")
	must(t, err)
	label := regexp.MustCompile(`(\w+)="([^"]+)"`)
	for where, expr := range harnessExpressions(t) {
		for _, name := range regexp.MustCompile(`mcp_test_\w+`).FindAllString(expr, -1) {
			if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(text) {
				t.Errorf("%s is on %s, which is not a figure", where, name)
			}
		}
		for _, match := range label.FindAllStringSubmatch(expr, -1) {
			if match[1] != "job" && !strings.Contains(text, match[0]) {
				t.Errorf("%s wants %s, which no figure has", where, match[0])
			}
		}
		if alert, ok := strings.CutPrefix(where, "alert "); ok && !strings.Contains(string(docs), "`"+alert+"`") {
			t.Errorf("docs/harness.md does not say what to do about %s", alert)
		}
	}
}

// TestHarnessPromtool checks that Prometheus accepts the rules, its settings and each
// expression of the dashboard, and that the rules' unit tests pass.
func TestHarnessPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	folder := t.TempDir()
	var panels strings.Builder
	panels.WriteString("groups:\n  - name: panels\n    rules:\n")
	for _, expr := range dashboard(t, "harness", "mcp-test-harness") {
		data, err := json.Marshal(expr)
		must(t, err)
		panels.WriteString("      - {record: panel, expr: " + string(data) + "}\n")
	}
	written := filepath.Join(folder, "panels.yml")
	must(t, os.WriteFile(written, []byte(panels.String()), 0o600))
	for _, args := range [][]string{
		{"check", "rules", "harness.rules.yml"}, {"test", "rules", "harness.rules.test.yml"}, {"check", "config", "harness.prometheus.yml"}, {"check", "rules", "--lint=none", written},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = "prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
