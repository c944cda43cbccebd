package suite

// ForCommand returns a suite without cases for a server that a command starts in the
// current folder, with the default limits.
func ForCommand(command []string) *Suite {
	s := &Suite{Server: Server{Command: command[0], Args: command[1:]}}
	c := &checker{suite: s}
	c.global()
	c.server()
	c.thresholds()
	c.service()
	return s
}

// WithCommand returns the same suite for another program. Command replaces server.command
// and server.args.
func (s *Suite) WithCommand(command []string) *Suite {
	other := *s
	other.Server.Command, other.Server.Args = command[0], command[1:]
	return &other
}
