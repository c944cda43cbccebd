package cli_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/lab/stress"
)

// TestStressFindsPlantedFaults builds a bridge that has faults, and holds that
// `bridge stress` finds each of them: a check that cannot fail proves nothing.
func TestStressFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: builds a program with faults, which takes long for -short")
	}
	program := buildFaulty(t)
	for _, tt := range []struct {
		fault string
		rules []string // each must be among those violated
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
			report, code := runFaulty(t, program, tt.fault)
			var violated []string
			for _, v := range report.Violations {
				violated = append(violated, v.Rule)
			}
			if wantCode := min(len(tt.rules), 1); code != wantCode || len(tt.rules) == 0 && len(violated) > 0 {
				t.Errorf("exit code %d, want %d; violated: %v", code, wantCode, report.Violations)
			}
			for _, rule := range tt.rules {
				if !slices.Contains(violated, rule) {
					t.Errorf("the rule %q was not violated, but %v", rule, report.Violations)
				}
			}
		})
	}
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

func runFaulty(t *testing.T, program, fault string) (report stress.Report, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "stress", "--agents", "4", "--conversations", "3",
		"--messages", "120", "--duration", "0s", "--kills", "0", "--tasks", "6", "--json")
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
