package process

import (
	"crypto/rand"
	"os"
	"slices"
)

// markName is the variable that marks all processes started for one server.
const markName = "BRIDGE_HARNESS_MARK"

func newMark() string { return rand.Text() }

// inherited are the variables that most programs need. Nothing else of the harness's
// environment is passed to a server, in particular no keys or personal settings.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "SHELL",
	"SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramFiles",
}

// Environment returns the environment of a server: the inherited variables, and those added
// or replaced by the suite.
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
