package process

import (
	"crypto/rand"
	"os"
	"slices"
)

// markName is the variable that marks everything that one server starts.
const markName = "BRIDGE_HARNESS_MARK"

func newMark() string { return rand.Text() }

// inherited are the variables without which most programs do not run. Nothing else of
// the harness's environment reaches a server: no keys, no settings of somebody's own.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "SHELL",
	"SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramFiles",
}

// Environment is what a server gets: the base, and what the suite adds or replaces.
func Environment(added map[string]string) []string {
	var env []string
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok && added[name] == "" {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range added {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}
