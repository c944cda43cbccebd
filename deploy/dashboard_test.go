package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/figures"
)

// collector returns a collector for a store in which a secret was hidden and a call was
// refused.
func collector(t *testing.T, backup time.Time) (*figures.Collector, *bridgetest.Env) {
	t.Helper()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	pair := bridgetest.NewPair(t, s)
	_, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "PASSWORD=" + strings.Repeat("xK9#", 5)})
	must(t, err)
	pair.B.Token = strings.Repeat("0", 64)
	if _, err := s.Send(t.Context(), pair.B, bridge.SendRequest{Text: "x"}); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Fatal(err)
	}
	return &figures.Collector{
		Bridge: s, Commands: e.Commands(t, s), Tasks: e.Tasks(t, s), Claims: claims.New(s, e.Store(t)), Path: e.Path, Calls: calls(),
		Backups: func() (figures.Backups, error) { return figures.Backups{Count: 1, LastMade: backup}, nil },
	}, e
}

// metrics returns what `bridge metrics` prints for such a store.
func metrics(t *testing.T) string {
	t.Helper()
	c, e := collector(t, time.Unix(1, 0))
	all, err := c.Gather(t.Context(), e.Clock.Now())
	must(t, err)
	var text bytes.Buffer
	must(t, figures.Write(&text, all))
	return text.String()
}

// TestMetricsAreWellFormed checks that promtool reports nothing about the
// metrics.
func TestMetricsAreWellFormed(t *testing.T) {
	cmd := exec.Command(tool(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(metrics(t))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// TestDashboardResolves checks that each expression of the dashboard has a result for
// the program's metrics. It uses Prometheus's own engine: an alert on each expression
// must fire.
func TestDashboardResolves(t *testing.T) {
	promtool := tool(t, "promtool")
	type object = map[string]any
	var rules, fired, series []object
	for line := range strings.Lines(metrics(t)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if labelled, ok := strings.CutSuffix(name, "}"); ok {
			name = labelled + `,job="bridge"}`
		} else {
			name += `{job="bridge"}`
		}
		series = append(series, object{"series": name, "values": value + "x30"})
	}
	all := dashboard(t, "bridge", "bridge")
	if len(all) < 15 {
		t.Fatalf("only %d expressions were read", len(all))
	}
	for title, expr := range all {
		name := fmt.Sprintf("panel%d", len(rules))
		rules = append(rules, object{"alert": name, "expr": "count(" + expr + ") > 0", "annotations": object{"title": title}})
		fired = append(fired, object{"eval_time": "20m", "alertname": name, "exp_alerts": []object{{"exp_annotations": object{"title": title}}}})
	}
	folder := t.TempDir()
	write := func(name string, content any) {
		data, err := json.Marshal(content) // which is also YAML
		must(t, err)
		must(t, os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}
	write("panels.yml", object{"groups": []object{{"name": "panels", "rules": rules}}})
	write("test.yml", object{
		"rule_files": []string{"panels.yml"}, "evaluation_interval": "1m",
		"tests": []object{{"interval": "1m", "input_series": series, "alert_rule_test": fired}},
	})
	cmd := exec.Command(promtool, "test", "rules", "test.yml")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}
