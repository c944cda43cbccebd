// Package deploy_test checks the files that operators copy: they must fit the
// program, and be accepted by the tools that read them, if these are installed.
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

// TestAlertsOnFigures checks that each alert uses metrics that the program
// provides, and that docs/operations.md says what to do about it.
func TestAlertsOnFigures(t *testing.T) {
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	bridgetest.NewPair(t, s)
	c := figures.Collector{Bridge: s, Commands: e.Commands(t, s), Tasks: e.Tasks(t, s), Claims: claims.New(s, e.Store(t)), Path: e.Path, Calls: calls()}
	all, err := c.Gather(t.Context(), e.Clock.Now())
	must(t, err)
	var text bytes.Buffer
	must(t, figures.Write(&text, all))
	// The metrics of backups exist once there is a backup, which is tested in
	// package figures.
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

// calls are some calls of a gateway.
func calls() *figures.Calls {
	c := new(figures.Calls)
	for _, took := range []time.Duration{time.Millisecond, 2 * time.Second} {
		c.Add("mcp", "send_to_partner", false, took)
		c.Add("mcp", "check_messages", false, took)
	}
	return c
}

// tool returns the path of a program, and skips the test if it is not
// installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("MISSING: %s", name)
	}
	return path
}

// TestPromtool checks that Prometheus accepts the rules, and that their unit
// tests pass.
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

// TestUnits checks that systemd knows every setting of the units, and that each unit
// uses a command that the program has. The units are not run.
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
		for line := range strings.Lines(string(out)) { // the program need not be installed here
			if !strings.Contains(line, "bridge is not executable") {
				t.Errorf("systemd-analyze %s: %v: %s", manager, err, line)
			}
		}
	}
}

// startedBy returns the command of a unit, without the path of the program, which
// differs between a unit for one user and one for the system.
var startedBy = regexp.MustCompile(`(?m)^ExecStart=(?:%h/\.local|/usr/local)/bin/(bridge [a-z]+( [a-z]+)?)\b`)

// startsPrograms are the services that start programs chosen by the operator.
var startsPrograms = regexp.MustCompile(`bridge-(inbox@|watchdog)\.service$`)

// TestExposure checks systemd's exposure score, from 0 to 10: low for the services that
// start no programs of the operator, and for the others as low as such programs permit.
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
