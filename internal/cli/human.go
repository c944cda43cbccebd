package cli

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// human checks, as far as a program can, that a person gives the operator's command:
// YOLO_MODE is set, no ancestor is an agent, and there is a terminal. Each refusal is
// recorded in the audit log.
//
// This prevents accidents and stops gated agents. An agent that can run anything as the
// same user can fake all of it (docs/yolo.md).
func (a *app) human(ctx context.Context, s *bridge.Service, action, conversation string) (*terminal, error) {
	reason := ""
	if !a.yoloEnabled() {
		reason = yoloVariable + "=1 is not set in the environment: set it for this command, if you mean it"
	}
	return a.humanUnless(ctx, s, action, conversation, reason)
}

// humanUnless is human without the check of YOLO_MODE, for commands that run nothing.
// If reason is not empty, it refuses for that reason.
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
		return nil, "cannot determine who started this command: use a terminal of your own"
	case name != "":
		return nil, fmt.Sprintf("this command was started by an agent (%s): use a terminal of your own", name)
	}
	t, err = openTerminal()
	if err != nil {
		return nil, "there is no terminal where it could ask you: run it in one"
	}
	return t, ""
}

// confirm asks the human to type a phrase, if there is one, and the one-time code. If
// they do not, it returns ErrNotConfirmed and records the refusal in the audit log.
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

// ask reports whether the human types exactly the expected text. Input typed before the
// question is discarded.
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

// write writes text. Errors are ignored, because a terminal that is gone will not
// answer either.
func (t *terminal) write(text string) { _, _ = t.file.WriteString(text) }

func (t *terminal) close() { _ = t.file.Close() }
