package guard_test

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/guardtest"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/table"
)

// TestAcceptedIsHarmless generates many commands from a fixed seed and inspects
// every accepted plan.
func TestAcceptedIsHarmless(t *testing.T) {
	const rounds = 20000
	r := rand.New(rand.NewPCG(1, 2))
	safe := table.Programs(guard.ModeSafe)
	accepted := 0
	for range rounds {
		command := guardtest.Command(r, safe)
		got := policy.Decide(guard.ModeSafe, command, corpusContext())
		if !got.Allow {
			continue
		}
		accepted++
		for _, step := range got.Plan.Steps {
			for _, stage := range step.Stages {
				if fault := harmful(stage); fault != "" {
					t.Errorf("%q is allowed: %s in %q", command, fault, stage.Argv)
				}
			}
		}
	}
	if accepted < rounds/100 {
		t.Errorf("only %d of %d commands were accepted: the generator says too little", accepted, rounds)
	}
	t.Logf("%d of %d commands were accepted", accepted, rounds)
}

// harmful is an independent check that shares no code with the policy. It returns
// what an accepted argument list must never contain, or "".
func harmful(stage guard.Stage) string {
	name := stage.Argv[0]
	if !slices.Contains(table.Programs(guard.ModeSafe), name) {
		return "a program of another mode"
	}
	switch name {
	case "echo", "which", "type", "printf", "basename", "dirname", "seq", "tr":
		return "" // their arguments are never opened
	}
	for i, arg := range stage.Argv[1:] {
		if name == "diff" && (stage.Argv[i] == "-S" || stage.Argv[i] == "-x" || stage.Argv[i] == "-I" || stage.Argv[i] == "-F" || stage.Argv[i] == "-L") {
			continue // the value of an option that takes text
		}
		for _, bad := range []string{"-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprintf", "-fls", "-files0-from", "--files0-from", "--fromfile", "--from-file", "--to-file", "--follow", "--output", "-follow"} {
			only := !strings.HasPrefix(bad, "--") && name != "find" || bad == "--output" && name == "df"
			if !only && (arg == bad || strings.HasPrefix(arg, bad+"=")) {
				return "option " + bad
			}
		}
		switch name {
		case "find", "grep", "rg", "jq", "sed":
			continue // patterns may look like paths
		}
		if fault := harmfulPath(arg); fault != "" {
			return fault
		}
	}
	return ""
}

func harmfulPath(arg string) string {
	full := arg
	if !strings.HasPrefix(arg, "/") {
		full = "/home/user/projects/myapp/" + arg
	}
	full = path.Clean(full)
	for _, dir := range []string{"/home/user/projects/myapp", "/usr", "/opt", "/srv", "/etc", "/var/log", "/var/www"} {
		if full == dir || strings.HasPrefix(full, dir+"/") {
			if full == "/etc/shadow" {
				return "the password file"
			}
			return ""
		}
	}
	switch full {
	case "/dev/null", "/proc/cpuinfo", "/proc/meminfo", "/":
		return "" // only df accepts "/"; the corpus checks that other programs refuse it
	}
	return "the path " + full
}
