package paths

// CommandPath is the PATH of commands: the system's folders, and none that a
// command could write.
const CommandPath = "/usr/local/bin:/usr/bin:/bin"

// CommandHome is the HOME of commands. No home is mounted in the sandbox.
const CommandHome = "/tmp"

// CommandEnvironment is the whole environment of a command, given its PATH and
// its HOME.
func CommandEnvironment(searchPath, home string) []string {
	return []string{"PATH=" + searchPath, "LANG=C.UTF-8", "TERM=dumb", "HOME=" + home, "GIT_TERMINAL_PROMPT=0"}
}
