package stress

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"example.org/bridge/internal/lab/rig"
)

// evidence is the output of the operator's commands after the run.
type evidence struct {
	entries int
	logged  map[Act]int
	// chain and doctor are the outputs of `audit verify` and `doctor` if they report a
	// problem.
	chain, doctor string
}

// gather runs the operator's commands. All agents must have ended.
func gather(ctx context.Context, p *rig.Place) (evidence, error) {
	e := evidence{logged: map[Act]int{}}
	if err := e.readLog(ctx, p); err != nil {
		return e, err
	}
	var err error
	if e.chain, err = problemOf(p.Command(ctx, "audit", "verify")); err != nil {
		return e, err
	}
	e.doctor, err = problemOf(p.Command(ctx, "doctor"))
	return e, err
}

// readLog counts the audit log entries of successful operations.
func (e *evidence) readLog(ctx context.Context, p *rig.Place) error {
	cmd := p.Command(ctx, "audit", "--limit", "0", "--format", "jsonl")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct {
			Conversation string `json:"conversation_id"`
			Session      string `json:"session"`
			Action       string `json:"action"`
			Outcome      string `json:"outcome"`
			Details      struct {
				Count int `json:"count"`
			} `json:"details"`
		}
		if err = json.Unmarshal(lines.Bytes(), &entry); err != nil {
			break
		}
		e.entries++
		if entry.Outcome == "ok" {
			e.logged[Act{entry.Conversation, entry.Session, entry.Action}] += max(1, entry.Details.Count)
		}
	}
	return errors.Join(err, lines.Err(), cmd.Wait())
}

// exitWarnings is the exit code of doctor if it found nothing worse than warnings.
const exitWarnings = 7

// problemOf runs a checking command, and returns its output if it found a problem.
func problemOf(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		if exit.ExitCode() == exitWarnings {
			return "", nil
		}
		return fmt.Sprintf("bridge %s ended with exit code %d: %.2000s", strings.Join(cmd.Args[1:], " "), exit.ExitCode(), out), nil
	}
	return "", err
}

func (e evidence) violations() (found []Violation) {
	for _, said := range []string{e.chain, e.doctor} {
		if said != "" {
			found = append(found, Violation{RuleIntegrity, said})
		}
	}
	return found
}
