package agents

// ShellLine returns words as a command line for the shell that runs a client's hooks on
// the given system.
func ShellLine(client Client, goos string, words ...string) string {
	return shellOf(client, goos).line(words)
}

// IsHook reports whether a hook's command line starts a bridge for the client.
var IsHook = isHook
