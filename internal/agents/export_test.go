package agents

// ShellLine writes words for the shell that runs a client's hooks on a system.
func ShellLine(client Client, goos string, words ...string) string {
	return shellOf(client, goos).line(words)
}

// IsHook reports that a hook's command line starts a bridge for the client.
var IsHook = isHook
