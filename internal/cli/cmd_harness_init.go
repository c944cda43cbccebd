package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/harness/draft"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
	"example.org/bridge/internal/view"
)

func newHarnessInitCmd(a *app) *cobra.Command {
	var tools, output string
	cmd := &cobra.Command{
		Use:   "init -- COMMAND...",
		Short: "Write a first suite for a server",
		Long: `Start a server, call its tools with arguments made from their schemas, and write a suite
with cases for each: that the call succeeds, which types its result has, and that
invalid arguments are refused. Cases of tools that failed, or that were not called, are
disabled (enabled: false) and say why.

Only tools whose readOnlyHint is true, and those named by --tools, are called. Existing
files are not replaced.`,
		Example: `  bridge harness init -- python server.py
  bridge harness init --output tests/suite.yaml -- ./server --quiet`,
		Args: a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 0 {
				return a.badSuite(errors.New("`bridge harness init` takes the command of the server after --"))
			}
			return a.initSuite(cmd.Context(), args, words(tools), output)
		},
	}
	textFlag(cmd.Flags(), &tools, kindText, "tools", "also call these tools, separated by commas, although they are not marked as read-only")
	textFlag(cmd.Flags(), &output, kindPath, "output", "the output file (default: suite.yaml)")
	return cmd
}

func (a *app) initSuite(ctx context.Context, command, tools []string, output string) error {
	ctx, stop := daemon(ctx)
	defer stop()
	if output == "" {
		output = "suite.yaml"
	}
	if _, err := os.Lstat(output); err == nil {
		return a.badSuite(fmt.Errorf("%s exists: remove it, or name another file with --output", output))
	}
	s := suite.ForCommand(command)
	snapshot, _, err := run.Snapshot(ctx, s)
	if err != nil {
		return a.maybeNotStarted(err)
	}
	called, left, err := snapshot.Callable(tools)
	if err != nil {
		return a.badSuite(err)
	}
	calls := &toolCaller{suite: s}
	defer calls.close()
	written := suite.Server{Command: command[0], Args: plainTexts(command[1:])}
	d, err := draft.New(ctx, written, snapshot.Checked(), called, calls.call)
	if err != nil {
		return a.maybeNotStarted(err)
	}
	if len(snapshot.Tools) == 0 {
		return a.badSuite(errors.New("the server offers no tools: write a suite with `method` by hand, as docs/harness.md explains"))
	}
	return a.saveSuite(output, d, len(left))
}

func (a *app) saveSuite(path string, d draft.Draft, left int) error {
	data, err := suite.Encode(d.Suite, d.Comments)
	if err == nil {
		err = writeNew(path, data)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"suite": path, "cases": len(d.Suite.Groups[0].Cases), "called": d.Tried, "not_called": left})
	}
	_, err = fmt.Fprintf(a.stdout, "%s has %s; tools called: %d, not called: %d.\nNext: bridge harness run %s\n",
		path, view.Count(int64(len(d.Suite.Groups[0].Cases)), "case"), d.Tried, left, path)
	return err
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and was not changed", path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the suite: %w", err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func plainTexts(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = suite.PlainText(text)
	}
	return out
}

// toolCaller calls tools on one server, and starts a new one if that breaks.
type toolCaller struct {
	suite *suite.Suite
	conn  *wire.Conn
}

func (c *toolCaller) call(ctx context.Context, tool string, input map[string]any) (wire.Reply, error) {
	if c.conn == nil || c.conn.Broken() {
		c.close()
		conn, err := run.Open(ctx, c.suite)
		if err != nil {
			return wire.Reply{}, err
		}
		c.conn = conn
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.suite.Global.TimeoutSeconds*float64(time.Second)))
	defer cancel()
	reply, err := c.conn.Call(ctx, "tools/call", map[string]any{"name": tool, "arguments": input})
	if err != nil {
		return wire.Reply{Error: &wire.RemoteError{Message: "there was no answer"}}, nil // the case says that the call failed
	}
	return reply, nil
}

func (c *toolCaller) close() {
	if c.conn != nil {
		c.conn.Close()
	}
}
