package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/agents"
)

// probeTimeout is the time limit for a server's answer. A server normally needs a small
// fraction of it.
const probeTimeout = 10 * time.Second

// waitDelay is how long to wait for a killed program's output to be closed.
const waitDelay = time.Second

// probeServer starts a server as a client does, on a store of its own, and pings it.
func (w World) probeServer(program string, args, environ []string) error {
	return onScratchStore(func(db string) (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
		defer cancel()
		// This is a file because the server may still be writing when it is read.
		log, err := os.Create(filepath.Join(filepath.Dir(filepath.Dir(db)), "stderr"))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, log.Close()) }()
		cmd := exec.CommandContext(ctx, program, append(slices.Clone(args), "--db", db)...) //nolint:gosec // G204: the caller made sure that it is this program
		cmd.Env, cmd.Stderr, cmd.WaitDelay = environ, log, waitDelay
		client := mcp.NewClient(&mcp.Implementation{Name: "bridge doctor", Version: w.Version}, nil)
		session, err := client.Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
		if err == nil {
			err = errors.Join(session.Ping(ctx, nil), session.Close())
		}
		said, readErr := os.ReadFile(log.Name())
		return errors.Join(probeError(err, string(said)), readErr)
	})
}

// probeError replaces err by the last line that the program wrote, if there is one.
func probeError(err error, log string) error {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	if last := lines[len(lines)-1]; err != nil && last != "" {
		return errors.New(last)
	}
	return err
}

// onScratchStore calls try with the path of a temporary store.
func onScratchStore(try func(db string) error) error {
	dir, err := os.MkdirTemp("", "bridge-doctor-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return try(filepath.Join(dir, "state", "bridge.db"))
}

// foreignHookError is the reason why a hook was not tested.
type foreignHookError struct{ problem string }

func (e *foreignHookError) Error() string { return e.problem }

// hookTimeout is the timeout that clients are configured with for hooks.
const hookTimeout = 5 * time.Second

// ProbeHook runs a hook's command with an event in the form that its client sends. A
// waiting hook works if it is still waiting after a tenth of hookTimeout.
func (w World) ProbeHook(h agents.Hook) error {
	words, ok := agents.Words(h.Command)
	if !ok {
		return &foreignHookError{"is more than a plain command"}
	}
	program, err := exec.LookPath(words[0]) //nolint:forbidigo // only started where it turns out to be this program
	switch {
	case err != nil:
		return fmt.Errorf("%s cannot be run", words[0])
	case !SameFile(program, w.Self):
		return &foreignHookError{"starts another program, " + program}
	}
	return onScratchStore(func(db string) error {
		ctx, cancel := context.WithTimeout(context.Background(), hookTimeout)
		defer cancel()
		waits := slices.Contains(words, "--wait")
		if waits {
			ctx, cancel = context.WithTimeout(ctx, hookTimeout/10)
			defer cancel()
		}
		var log bytes.Buffer
		cmd := exec.CommandContext(ctx, program, append(words[1:], "--db", db)...) //nolint:gosec // G204: it was made sure that it is this program
		cmd.Stdin, cmd.Stderr = strings.NewReader(sampleEvent(h.Event)), &log
		cmd.Env, cmd.WaitDelay = w.Environ, waitDelay
		err := cmd.Run()
		if ctx.Err() != nil {
			if waits {
				return nil
			}
			return fmt.Errorf("it took longer than %s", hookTimeout)
		}
		return probeError(err, log.String())
	})
}

// sampleEvent returns an event with the fields that all clients send.
func sampleEvent(event string) string {
	dir, _ := os.Getwd()
	text, _ := json.Marshal(map[string]any{
		"hook_event_name": event,
		"session_id":      "bridge-doctor",
		"transcript_path": "",
		"cwd":             dir,
		"source":          "startup",
		"prompt":          "",
	})
	return string(text)
}

// SameFile reports whether two paths refer to the same file.
func SameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
