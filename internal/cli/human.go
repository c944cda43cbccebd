package cli

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// human makes sure, as far as a program can, that a person gives the operator's
// command: YOLO_MODE is set, no agent is among the parents, and there is a
// terminal. Each refusal is in the audit log.
//
// It stops accidents and gated agents. An agent that may run anything as the
// same user can pretend all of this (docs/yolo.md).
func (a *app) human(ctx context.Context, s *bridge.Service, action, conversation string) (*terminal, error) {
	reason := ""
	if !a.yoloEnabled() {
		reason = yoloVariable + "=1 is not set in the environment: set it for this command, if you mean it"
	}
	return a.humanUnless(ctx, s, action, conversation, reason)
}

// humanUnless is human without the variable of the commands, for what runs none. A
// reason that is known already refuses.
func (a *app) humanUnless(ctx context.Context, s *bridge.Service, action, conversation, reason string) (t *terminal, err error) {
	if reason == "" {
		t, reason = a.findHuman()
	}
	if reason == "" {
		return t, nil
	}
	if err := s.RefuseOperator(ctx, action, conversation, reason); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s", commands.ErrNotConfirmed, reason)
}

func (a *app) findHuman() (t *terminal, reason string) {
	if name := agentVariable(a.lookupEnv); name != "" {
		return nil, name + " is set, so this is an agent's shell: use a terminal of your own"
	}
	name, err := agentParent(parentProcesses)
	switch {
	case err != nil:
		return nil, "who started this command cannot be found out: use a terminal of your own"
	case name != "":
		return nil, fmt.Sprintf("an agent (%s) has started this command: use a terminal of your own", name)
	}
	t, err = openTerminal()
	if err != nil {
		return nil, "there is no terminal to ask you at: run it in one"
	}
	return t, ""
}

// confirm has the human type a phrase, if there is one, and the one-time code.
// The error is ErrNotConfirmed, and the audit log has the refusal.
func (t *terminal) confirm(ctx context.Context, s *bridge.Service, action, conversation, phrase, code string) error {
	var reason string
	t.show("")
	switch {
	case phrase != "" && !t.ask("Type "+phrase+": ", phrase):
		reason = "the phrase was not typed"
	case !t.ask("Type the code "+code+": ", code):
		reason = "the code was not typed"
	default:
		return nil
	}
	if err := s.RefuseOperator(ctx, action, conversation, reason); err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", commands.ErrNotConfirmed, reason)
}

// ask reports whether the human types just what is wanted. What was typed
// before the question does not count.
func (t *terminal) ask(prompt, want string) bool {
	t.forgetInput()
	t.write(prompt)
	line, err := t.lines.ReadString('\n')
	return err == nil && subtle.ConstantTimeCompare([]byte(strings.TrimRight(line, "\r\n")), []byte(want)) == 1
}

// show writes lines.
func (t *terminal) show(lines ...string) {
	for _, line := range lines {
		t.write(line + "\n")
	}
}

// write writes text; a terminal that is gone will not answer either.
func (t *terminal) write(text string) { _, _ = t.file.WriteString(text) }

func (t *terminal) close() { _ = t.file.Close() }
