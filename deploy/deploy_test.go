// Package deploy_test checks what operators copy: it fits the program, and the tools
// that read it accept it where they are installed.
package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/figures"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const rulesFile = "prometheus/bridge.rules.yml"

type rules struct {
	Groups []struct {
		Rules []struct{ Alert, Expr string }
	}
}

func readRules(t *testing.T) (alerts map[string]string) {
	t.Helper()
	content, err := os.ReadFile(rulesFile)
	must(t, err)
	var all rules
	must(t, yaml.Unmarshal(content, &all))
	alerts = map[string]string{}
	for _, g := range all.Groups {
		for _, r := range g.Rules {
			alerts[r.Alert] = r.Expr
		}
	}
	if len(alerts) < 5 {
		t.Fatalf("only %d alerts were read", len(alerts))
	}
	return alerts
}

// TestAlertsOnFigures: each alert is on figures that the program gives, and
// docs/operations.md says what to do about it.
func TestAlertsOnFigures(t *testing.T) {
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	bridgetest.NewPair(t, s)
	c := figures.Collector{Bridge: s, Commands: e.Commands(t, s), Tasks: e.Tasks(t, s), Claims: claims.New(s, e.Store(t)), Path: e.Path, Calls: calls()}
	all, err := c.Gather(t.Context(), e.Clock.Now())
	must(t, err)
	var text bytes.Buffer
	must(t, figures.Write(&text, all))
	// Those of a backup are there once there is one, which figures' own tests show.
	known := text.String() + "\nbridge_backup_timestamp_seconds "
	operations, err := os.ReadFile("../docs/operations.md")
	must(t, err)
	for alert, expr := range readRules(t) {
		for _, name := range regexp.MustCompile(`bridge_\w+`).FindAllString(expr, -1) {
			if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(known) {
				t.Errorf("%s is on %s, which is not a figure", alert, name)
			}
		}
		if !strings.Contains(string(operations), "`"+alert+"`") {
			t.Errorf("docs/operations.md does not say what to do about %s", alert)
		}
	}
}

// calls are some that a gateway had.
func calls() *figures.Calls {
	c := new(figures.Calls)
	for _, took := range []time.Duration{time.Millisecond, 2 * time.Second} {
		c.Add("mcp", "send_to_partner", false, took)
		c.Add("mcp", "check_messages", false, took)
	}
	return c
}

// tool skips where a program is not installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("MISSING: %s", name)
	}
	return path
}

// TestPromtool: Prometheus accepts the rules, and they say what they should.
func TestPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "bridge.rules.yml"}, {"test", "rules", "bridge.rules.test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = "prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestUnits: systemd knows every setting of the units, and each names a command that
// the program has. It is not said that they have run.
func TestUnits(t *testing.T) {
	units, err := filepath.Glob("systemd/*.*")
	must(t, err)
	if len(units) < 6 {
		t.Fatalf("only %v were found", units)
	}
	commands, err := os.ReadFile("../docs/cli.md")
	must(t, err)
	of := map[string][]string{}
	for _, unit := range units {
		content, err := os.ReadFile(unit)
		must(t, err)
		manager := "--user"
		if strings.HasSuffix(string(content), "\nWantedBy=multi-user.target\n") {
			manager = "--system"
		}
		of[manager] = append(of[manager], unit)
		starts := startedBy.FindAllStringSubmatch(string(content), -1)
		if strings.HasSuffix(unit, ".service") && len(starts) != 1 {
			t.Errorf("%s starts bridge %d times", unit, len(starts))
		}
		for _, match := range starts {
			if !strings.Contains(string(commands), "## "+match[1]+"\n") && !strings.Contains(string(commands), "## "+strings.TrimSuffix(match[1], match[2])+"\n") {
				t.Errorf("%s starts %q, which is not a command", unit, match[1])
			}
		}
	}
	for manager, units := range of {
		verify := exec.Command(tool(t, "systemd-analyze"), append([]string{manager, "--man=no", "verify"}, units...)...)
		verify.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		out, err := verify.CombinedOutput()
		for line := range strings.Lines(string(out)) { // that the program is not installed here is not a fault of theirs
			if !strings.Contains(line, "bridge is not executable") {
				t.Errorf("systemd-analyze %s: %v: %s", manager, err, line)
			}
		}
	}
}

// startedBy is the command of a unit, where the program is for one user or for all.
var startedBy = regexp.MustCompile(`(?m)^ExecStart=(?:%h/\.local|/usr/local)/bin/(bridge [a-z]+( [a-z]+)?)\b`)

// startsPrograms are the services that start programs of the operator's.
var startsPrograms = regexp.MustCompile(`bridge-(inbox@|watchdog)\.service$`)

// TestExposure: the services that need no program of the operator's can do little, and the
// others nothing that no such program needs. The score is systemd's, from 0 to 10.
func TestExposure(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	score := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)
	units, err := filepath.Glob("systemd/*.service")
	must(t, err)
	for _, unit := range units {
		out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", unit).CombinedOutput()
		match := score.FindSubmatch(out)
		if match == nil {
			t.Skipf("MISSING: a systemd-analyze that scores files: %v, %s", err, out)
		}
		exposure, err := strconv.ParseFloat(string(match[1]), 64)
		must(t, err)
		t.Logf("%s: exposure %.1f", unit, exposure)
		most := 2.2
		if startsPrograms.MatchString(unit) {
			most = 6.5
		}
		if exposure > most {
			t.Errorf("%s has exposure %.1f, %.1f is the most", unit, exposure, most)
		}
	}
}
