package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"golang.org/x/term"

	"example.org/bridge/internal/agents"
)

// listedClient is a client that bridge supports, in JSON output.
type listedClient struct {
	Client    agents.Client `json:"client"`
	Title     string        `json:"title"`
	Found     bool          `json:"found"`
	Connected bool          `json:"connected"`
	// Hooks reports whether bridge has hooks for it. Without them, its agent must check
	// for mail itself.
	Hooks bool `json:"hooks"`
}

// listClients checks for every client whether it is on this machine and connected.
func listClients(in agents.Installer) (all []listedClient) {
	for _, c := range agents.Clients() {
		l := listedClient{Client: c, Title: c.Title(), Hooks: c.Hooked()}
		l.Found = in.Place.Present(c, exec.LookPath) //nolint:forbidigo // only looked for
		for _, scope := range []agents.Scope{agents.ScopeUser, agents.ScopeProject} {
			f, err := in.Find(c, scope)
			l.Connected = l.Connected || err == nil && (len(f.Servers) > 0 || f.Plugin != "")
		}
		all = append(all, l)
	}
	return all
}

// runInstallList prints these clients.
func runInstallList(a *app) error {
	installer, err := a.installer()
	if err != nil {
		return err
	}
	all := listClients(installer)
	if a.json {
		return a.printJSON(all)
	}
	for _, l := range all {
		state := "not on this machine"
		switch {
		case l.Connected && l.Found:
			state = "connected"
		case l.Connected:
			state = "connected, but not found on this machine"
		case l.Found:
			state = "found, not connected"
		}
		if err := a.say("%-9s %-12s %s", l.Client, l.Title, state); err != nil {
			return err
		}
	}
	return nil
}

// runInstallAll connects all clients that are found, after asking.
func runInstallAll(ctx context.Context, a *app, o installOptions, storeNamed bool) error {
	installer, err := a.installer()
	if err != nil {
		return err
	}
	var found []agents.Client
	var titles []string
	for _, l := range listClients(installer) {
		if l.Found {
			found, titles = append(found, l.Client), append(titles, l.Title)
		}
	}
	switch {
	case len(found) == 0:
		return usagef("no client was found on this machine: name one of %s", strings.Join(clientNames(), ", "))
	case !term.IsTerminal(int(a.stdin.Fd())):
		return usagef("name a client (at a terminal, bridge asks about those that were found: %s)", strings.Join(titles, ", "))
	}
	_, _ = fmt.Fprintf(a.stderr, "Connect %s? [y/N] ", strings.Join(titles, ", "))
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return a.say("nothing was changed")
	}
	var problems []error
	for _, c := range found {
		problems = append(problems, runInstall(ctx, a, c, o, storeNamed))
	}
	return errors.Join(problems...)
}
