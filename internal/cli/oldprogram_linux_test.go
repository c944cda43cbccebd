package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/programtest"
)

// TestDoctorNamesOtherPrograms checks that doctor reports a process that runs a
// different program file than doctor, even if that file has been replaced since, but
// not one that runs a copy of the same program.
func TestDoctorNamesOtherPrograms(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	i := install(t)
	a, _ := i.pair(t)
	content, err := os.ReadFile(i.program)
	must(err)
	running := func(name string, content []byte) (c *client, program string) {
		program = filepath.Join(t.TempDir(), name, "bridge")
		must(os.Mkdir(filepath.Dir(program), 0o700))
		programtest.Write(t, program, content)
		command := i.command("serve")
		command.Path, command.Args[0] = program, "bridge"
		c = mustStart(t, command, a)
		c.mustCall(t, "check_messages", map[string]any{})
		return c, program
	}
	running("copy", content)
	older, program := running("older", append(content, '\n'))
	replaced, file := running("replaced", append(content, '\n', '\n'))
	must(os.Remove(file))

	out, _ := i.command("doctor").CombinedOutput() // the exit code depends on this machine's clients
	for _, want := range []string{
		"a different bridge program",
		fmt.Sprintf("process %d (%s)", older.process.Process.Pid, program),
		fmt.Sprintf("process %d (%s, which has been replaced since)", replaced.process.Process.Pid, file),
	} {
		if !strings.Contains(strings.Join(strings.Fields(string(out)), " "), want) {
			t.Errorf("doctor does not name %s:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), filepath.Join("copy", "bridge")) {
		t.Errorf("doctor names a copy of its own program:\n%s", out)
	}
	must(older.Close())
	must(replaced.Close())
	if out, _ := i.command("doctor").CombinedOutput(); strings.Contains(string(out), "a different bridge program") {
		t.Errorf("doctor names processes that have ended:\n%s", out)
	}
}
