package doctor

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/view"
)

// World describes the environment in which clients are configured.
type World struct {
	Installer agents.Installer
	// Self is the path of this program; Version is its version.
	Self, Version string
	// Environ is the environment that clients pass on to what they start.
	Environ []string
	// Store is the operator's store; empty if none was given.
	Store string
	// DefaultStore is the store used by a client whose entry names none. It is empty
	// unless it differs from Store because this call named another one.
	DefaultStore string
}

// Clients checks how each MCP client is connected. It starts this program as the client
// would, on a temporary store. It starts no other program, because a project's files
// could name any program.
func (r *Report) Clients(w World) {
	for _, client := range agents.Clients() {
		c := &clientCheck{Report: r, World: w, client: client}
		c.find()
		c.report()
	}
}

// clientCheck is the check of one client.
type clientCheck struct {
	*Report
	World
	client agents.Client
	found  []agents.Found
	broken bool
}

func (c *clientCheck) say(s Status, format string, args ...any) {
	c.Add(string(c.client), s, format, args...)
}

// find reads the client's configuration for every scope.
func (c *clientCheck) find() {
	scopes := []agents.Scope{agents.ScopeUser, agents.ScopeProject}
	if c.client == agents.Claude {
		scopes = append(scopes, agents.ScopeLocal)
	}
	seen := map[string]bool{} // if the project is the home folder, both scopes can have the same files
	for _, scope := range scopes {
		f, err := c.Installer.Find(c.client, scope)
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			c.broken = true
			c.say(Warning, "%s: %s cannot read it either", view.Line(err), c.client.Title())
		}
		if seen[f.Path] && scope != agents.ScopeLocal {
			f.Servers = nil
		}
		f.Hooks = slices.DeleteFunc(f.Hooks, func(h agents.Hook) bool { return seen[h.Path] })
		seen[f.Path] = true
		for _, h := range f.Hooks {
			seen[h.Path] = true
		}
		if len(f.Servers) > 0 || len(f.Hooks) > 0 || f.Plugin != "" {
			c.found = append(c.found, f)
		}
	}
}

func (c *clientCheck) report() {
	if len(c.found) == 0 {
		if !c.broken && c.Installer.Place.Present(c.client, exec.LookPath) { //nolint:forbidigo // only looked for
			c.say(Note, "%s is not connected; `bridge install %s` connects it", c.client.Title(), c.client)
		}
		return
	}
	for _, f := range c.found {
		for _, s := range f.Servers {
			c.checkServer(f, s)
		}
		if f.Plugin != "" {
			c.checkPlugin(f)
		}
	}
	if c.client.Hooked() {
		c.checkHooks()
	}
}

// args returns the arguments for install and uninstall that refer to what was found.
func (c *clientCheck) args(f agents.Found) string {
	if f.Scope == agents.ScopeProject {
		return string(c.client) + " --scope project"
	}
	return string(c.client)
}

// reinstall returns the commands that remove an entry and add a new one.
func (c *clientCheck) reinstall(f agents.Found, s agents.NamedServer) string {
	out := "bridge uninstall " + c.args(f)
	switch {
	case f.Scope == agents.ScopeLocal:
		out = "claude mcp remove " + s.Name
	case s.Name != agents.DefaultName:
		out += " --server-name " + s.Name
	}
	return fmt.Sprintf("`%s` and `bridge install %s`", out, c.args(f))
}

// checkServer starts the server of an entry and checks which store it uses.
func (c *clientCheck) checkServer(f agents.Found, s agents.NamedServer) {
	where := fmt.Sprintf("%s in %s (%s)", s.Name, f.Path, f.Scope)
	if s.Off() {
		c.say(Note, "%s is switched off there", where)
		return
	}
	if names := f.Shared(s.Server); len(names) > 0 {
		c.say(Warning, "%s has env_vars with %s: Codex's background server passes the values of the terminal that started it to all sessions; remove them, or start codex with --no-daemon",
			where, strings.Join(names, ", "))
	}
	program, err := exec.LookPath(s.Command) //nolint:forbidigo // only looked at: what the client would start
	switch {
	case err != nil:
		c.say(Problem, "%s starts %s, which cannot be run: %s fix it", where, s.Command, c.reinstall(f, s))
		return
	case !SameFile(program, c.Self):
		c.say(Warning, "%s starts another program, %s: %s change it", where, program, c.reinstall(f, s))
		return
	}
	if err := c.probeServer(program, s.Args, f.Environment(s.Server, c.Environ)); err != nil {
		c.say(Problem, "%s does not start: %s", where, view.Line(err))
		return
	}
	c.say(OK, "%s starts this program", where)
	c.checkSharedStore(f, s, where)
}

// checkSharedStore compares the store of an entry with the operator's.
func (c *clientCheck) checkSharedStore(f agents.Found, s agents.NamedServer, where string) {
	theirs := f.Store(s.Server, c.Environ)
	switch {
	case theirs == "" && c.DefaultStore != "":
		theirs = c.DefaultStore
	case theirs == "" && f.Loses(s.Server, "XDG_STATE_HOME", c.Environ):
		c.say(Warning, "%s does not receive XDG_STATE_HOME, so it does not use your store: `bridge install %s` writes the store's path into the entry", where, c.args(f))
		return
	}
	if c.World.Store != "" && theirs != "" && filepath.Clean(theirs) != c.World.Store {
		c.say(Warning, "%s uses the store %s, you use %s: choose one with --db of `bridge install %s`", where, theirs, c.World.Store, c.args(f))
	}
}

// checkPlugin checks whether a plugin finds this program, which it starts by name.
func (c *clientCheck) checkPlugin(f agents.Found) {
	program, err := exec.LookPath(agents.DefaultName) //nolint:forbidigo // only looked at: what a client would start
	switch {
	case err != nil:
		c.say(Problem, "the plugin %s (%s) needs bridge in your PATH, but it is not there", f.Plugin, f.Scope)
	case !SameFile(program, c.Self):
		c.say(Warning, "the plugin %s (%s) starts another program, %s, which comes before this one in your PATH", f.Plugin, f.Scope, program)
	default:
		c.say(OK, "the plugin %s (%s) finds this program", f.Plugin, f.Scope)
	}
}

// checkHooks runs each hook command once.
func (c *clientCheck) checkHooks() {
	commands := map[string]error{}
	var places []string
	events := 0
	for _, f := range c.found {
		if f.HooksOff {
			c.say(Note, "hooks are switched off in %s: the agent is not notified of mail", f.Scope)
		}
		if f.Unreviewed {
			c.say(Note, "Codex runs the hooks in %s only after you have reviewed them once: start it and enter /hooks", f.Hooks[0].Path)
		}
		if len(f.Hooks) > 0 {
			places = append(places, string(f.Scope))
		}
		if f.Plugin != "" {
			places = append(places, "the plugin")
		}
		for _, h := range f.Hooks {
			events++
			if _, tried := commands[h.Command]; tried {
				continue
			}
			err := c.ProbeHook(h)
			commands[h.Command] = err
			c.reportHook(h, err)
		}
	}
	switch {
	case len(places) > 1:
		c.say(Warning, "hooks are installed for %s: each runs twice; uninstall one of them", strings.Join(places, " and "))
	case len(places) == 0:
		c.say(Note, "it has no hooks of bridge: the agent is not notified of mail; `bridge install %s` adds them", c.client)
	case events == 0: // hooks of the plugin
	case !slices.ContainsFunc(values(commands), func(err error) bool { return err != nil }):
		c.say(OK, "%s fire", view.Count(int64(events), "hook"))
	}
}

func (c *clientCheck) reportHook(h agents.Hook, err error) {
	var foreign *foreignHookError
	switch {
	case err == nil:
	case errors.As(err, &foreign):
		c.say(Warning, "the hook for %s in %s %s, so it was not tested", h.Event, h.Path, foreign.problem)
	default:
		c.say(Problem, "the hook for %s in %s does not work: %s", h.Event, h.Path, view.Line(err))
	}
}

func values[K comparable, V any](m map[K]V) (all []V) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
