package convert

import (
	"strings"

	"example.org/bridge/internal/harness/suite"
)

// server converts how a server is started, which both tools describe in nearly the same
// way.
func (c *converter) server(n node) {
	s := &c.suite.Server
	s.Command, s.Args = n.text("command"), n.texts("args")
	if start := strings.Fields(n.text("start_command")); len(start) > 0 && s.Command == "" {
		s.Command, s.Args = start[0], append(start[1:], s.Args...)
	}
	s.WorkingDir, s.URL = n.text("working_dir"), n.text("url")
	if s.WorkingDir == "" {
		s.WorkingDir = n.text("working_directory")
	}
	s.Env = textsOf(n.below("env"))
	s.Headers = textsOf(n.below("headers"))
	switch transport := n.text("transport"); transport {
	case "", "stdio", "http":
		s.Transport = transport
	default:
		c.leave(n.place("transport"), "%q is neither stdio nor http", transport)
	}
	if seconds := n.number("startup_timeout_seconds"); seconds != nil {
		s.StartTimeoutSeconds = *seconds
	}
	n.drop("shutdown_timeout_seconds", "shutdown_timeout", "max_concurrent_requests")
	n.rest()
	if s.Command == "" && s.URL == "" {
		s.Command = "./server"
		c.leave("server", "has neither command nor url; ./server is used instead")
	}
}

func textsOf(n node) map[string]string {
	if len(n.keys) == 0 {
		return nil
	}
	all := map[string]string{}
	for key := range n.keys {
		all[key] = n.text(key)
	}
	return all
}

// performance converts limits of an answer.
func performance(n node, step *suite.Step) {
	for _, key := range []string{"max_duration_ms", "max_execution_time_ms"} {
		if ms := n.number(key); ms != nil {
			step.Performance.MaxDurationMS = *ms
		}
	}
	n.rest()
}
