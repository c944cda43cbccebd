package cli_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/lab/stress"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestStressFindsPlantedFaults builds bridge with faults, and checks that `bridge
// stress` finds each of them.
func TestStressFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: builds a program with faults, which takes long for -short")
	}
	program := buildFaulty(t)
	for _, tt := range []struct {
		fault string
		rules []string // each must be among the violated rules
	}{
		{"", nil},
		{"drop", []string{stress.RuleLost, stress.RuleAudit}},
		{"duplicate", []string{stress.RuleDuplicate}},
		{"reorder", []string{stress.RuleOrder}},
		{"alter", []string{stress.RuleAltered}},
		{"redeliver", []string{stress.RuleDuplicate}},
		{"unlogged", []string{stress.RuleAudit}},
		{"task", []string{stress.RuleTask}},
		{"share", []string{stress.RuleTask}},
	} {
		t.Run("fault="+tt.fault, func(t *testing.T) {
			t.Parallel()
			findsFault(t, program, tt.fault, tt.rules)
		})
	}
	for _, tt := range sharedFaults {
		t.Run(tt.preset+", fault="+tt.fault, func(t *testing.T) {
			t.Parallel()
			tt.isFound(t, program)
		})
	}
	// The same behind gateways: a machine that repeats calls by itself must not hide
	// anything.
	for fault, rule := range map[string]string{"": "", "drop": stress.RuleLost, "unlogged": stress.RuleAudit, "share": stress.RuleTask} {
		t.Run("gateways, fault="+fault, func(t *testing.T) {
			t.Parallel()
			findsFault(t, program, fault, ruleList(rule), "--gateways", "2")
		})
	}
}

// sharedFault is a fault in conversations with many sessions, or in what its sessions
// share.
type sharedFault struct {
	preset, fault string
	// kills is the number of kills needed to find it. Faults that only show between two
	// steps of a process that a kill separates need several.
	kills int
	rules []string
}

// shortRun is long enough to find most faults that need no kill, and longRun to find any.
// soundRun is the length of a run without a fault, in which nothing may be found.
// All agents work as fast as they can, so a run costs its duration on every processor.
const shortRun, soundRun, longRun = "1s", "2s", "4s"

var sharedFaults = []sharedFault{
	{stress.PresetRoom, "", 8, nil},
	{stress.PresetRoom, "pass_over", 0, []string{stress.RuleLost}},
	{stress.PresetRoom, "leak", 0, []string{stress.RuleForeign}},
	{stress.PresetRoom, "unmarked", 0, []string{stress.RuleDuplicate}},
	{stress.PresetRoom, "half", 12, []string{stress.RuleLost}},
	{stress.PresetRoom, "forget_key", 12, []string{stress.RuleDuplicate}},
	{stress.PresetSharedWork, "", 8, nil},
	{stress.PresetSharedWork, "vanish", 0, []string{stress.RuleLost}},
	{stress.PresetSharedWork, "overwrite", 0, []string{stress.RuleLost}},
	{stress.PresetSharedWork, "swap", 0, []string{stress.RuleOrder}},
	{stress.PresetSharedWork, "twice", 0, []string{stress.RuleDuplicate}},
	{stress.PresetSharedWork, "version", 0, []string{stress.RuleNumbering}},
	{stress.PresetSharedWork, "ignore_claims", 0, []string{stress.RuleHolder}},
	{stress.PresetSharedWork, "two_holders", 0, []string{stress.RuleHolder}},
	{stress.PresetSharedWork, "keep", 0, []string{stress.RuleHolder, stress.RuleAudit}},
	{stress.PresetSharedWork, "unlogged", 0, []string{stress.RuleAudit}},
}

// flags returns the flags of a run of six agents.
func (f sharedFault) flags(duration string) []string {
	return []string{
		"--preset", f.preset, "--agents", "6", "--conversations", "1", "--messages", "0", "--tasks", "0",
		"--duration", duration, "--kills", strconv.Itoa(f.kills),
	}
}

// isFound checks that the fault is found: without kills by a short run, or else by a long
// one.
func (f sharedFault) isFound(t *testing.T, program string, flags ...string) {
	t.Helper()
	if f.fault == "" {
		findsFault(t, program, "", nil, append(f.flags(soundRun), flags...)...)
		return
	}
	if f.kills == 0 {
		report, code := runFaulty(t, program, f.fault, append(f.flags(shortRun), flags...)...)
		if code == 1 && len(missing(report, f.rules)) == 0 {
			return
		}
	}
	findsFault(t, program, f.fault, f.rules, append(f.flags(longRun), flags...)...)
}

// TestStressFindsPlantedFaultsOnPostgres does the same with a store in a database.
func TestStressFindsPlantedFaultsOnPostgres(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: builds a program with faults, which takes long for -short")
	}
	server := postgrestest.ForTest(t)
	program := buildFaulty(t)
	for fault, rule := range map[string]string{"": "", "drop": stress.RuleLost, "duplicate": stress.RuleDuplicate, "reorder": stress.RuleOrder, "task": stress.RuleTask} {
		t.Run("fault="+fault, func(t *testing.T) {
			findsFault(t, program, fault, ruleList(rule), "--db", server.Schema())
		})
	}
	for _, tt := range sharedFaults {
		if slices.Contains([]string{"", "half", "vanish", "two_holders"}, tt.fault) {
			t.Run(tt.preset+", fault="+tt.fault, func(t *testing.T) {
				tt.isFound(t, program, "--db", server.Schema())
			})
		}
	}
	t.Run("gateways, fault=unlogged", func(t *testing.T) {
		findsFault(t, program, "unlogged", ruleList(stress.RuleAudit), "--gateways", "2", "--db", server.Schema())
	})
}

func ruleList(rule string) []string {
	if rule == "" {
		return nil
	}
	return []string{rule}
}

// findsFault checks that stress, run with additional flags, reports all of the rules as
// violated, or no violation if there are no rules.
func findsFault(t *testing.T, program, fault string, rules []string, flags ...string) {
	t.Helper()
	report, code := runFaulty(t, program, fault, flags...)
	if wantCode := min(len(rules), 1); code != wantCode || len(rules) == 0 && len(report.Violations) > 0 {
		t.Errorf("exit code %d, want %d; violated: %v", code, wantCode, report.Violations)
	}
	for _, rule := range missing(report, rules) {
		t.Errorf("the rule %q was not violated, but %v", rule, report.Violations)
	}
}

// missing returns those of the rules that the report does not name as violated.
func missing(report stress.Report, rules []string) (names []string) {
	for _, rule := range rules {
		if !slices.ContainsFunc(report.Violations, func(v stress.Violation) bool { return v.Rule == rule }) {
			names = append(names, rule)
		}
	}
	return names
}

func buildFaulty(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bridge")
	build := exec.Command("go", "build", "-tags", "plantfault", "-o", program, "example.org/bridge/cmd/bridge")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func runFaulty(t *testing.T, program, fault string, flags ...string) (report stress.Report, code int) {
	t.Helper()
	args := []string{
		"stress", "--agents", "4", "--conversations", "3",
		"--messages", "120", "--duration", "0s", "--kills", "0", "--tasks", "6", "--json",
	}
	cmd := exec.CommandContext(t.Context(), program, append(args, flags...)...)
	cmd.Env = append(os.Environ(), rig.PlantedFault+"="+fault)
	out, err := cmd.Output()
	exit := new(exec.ExitError)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s%s", err, out, exit.Stderr)
	}
	return report, cmd.ProcessState.ExitCode()
}
