package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/view"
)

type filesShowOptions struct {
	fileOptions
	version int
	raw     bool
}

// rawFlag is the name of the flag that prints agents' text unchanged.
const rawFlag = "raw"

func newFilesShowCmd(a *app) *cobra.Command {
	var o filesShowOptions
	cmd := fileCommand(a, &cobra.Command{
		Use:   "show CONVERSATION PATH",
		Short: "Read a shared file",
		Long: `Print the text of a shared file: its latest version, or an earlier one that is still
kept.

Text from agents is shown without anything that could control the terminal. With --raw
it is printed byte for byte, but only to a file or a program, never to a terminal.`,
		Example: `  bridge files show 3f2a docs/api.md
  bridge files show 3f2a docs/api.md --version 3
  bridge files show 3f2a docs/api.md --raw > api.md`,
	}, &o.fileOptions, func(ctx context.Context) error { return runFilesShow(ctx, a, o) })
	numberFlag(cmd.Flags(), &o.version, "version", "the version to show; 0 means the latest")
	boolFlag(cmd.Flags(), &o.raw, rawFlag, "print it unchanged, if standard output is not a terminal")
	return cmd
}

func runFilesShow(ctx context.Context, a *app, o filesShowOptions) error {
	if o.raw && a.json {
		return usagef("--raw and --json cannot be combined: JSON has the text without anything that could control a terminal")
	}
	if err := a.checkRaw(o.raw); err != nil {
		return err
	}
	return a.withFile(ctx, o.fileOptions, func(f files.File, changes []files.Change) error {
		if o.version != 0 {
			text, err := files.TextOf(f, changes, int64(o.version))
			if err != nil {
				return err
			}
			f = asOf(f, changes, int64(o.version), text)
		}
		switch {
		case a.json:
			v := view.FileOf(f)
			v.ConversationID = f.Conversation
			return a.printJSON(struct {
				view.File
				Text string `json:"text"`
			}{v, cleantext.Clean(f.Text)})
		case o.raw:
			_, err := io.WriteString(a.stdout, f.Text)
			return err
		}
		return a.printClean(f.Text)
	})
}

// checkRaw returns an error if agents' text would be printed unchanged to a terminal,
// which it could control.
func (a *app) checkRaw(raw bool) error {
	if raw && term.IsTerminal(int(a.stdout.Fd())) {
		return usagef("--raw prints agents' text unchanged, which could control this terminal: redirect the output, or leave --raw out")
	}
	return nil
}

// asOf returns a file as it was in a version with the given text.
func asOf(f files.File, changes []files.Change, version int64, text string) files.File {
	f.Version, f.Text, f.Bytes = version, text, int64(len(text))
	for _, c := range changes {
		if c.Version == version {
			f.Writer, f.WrittenAt = c.Session, c.At
		}
	}
	return f
}

// printClean prints agents' text made safe for a terminal, and ends it with a line
// break.
func (a *app) printClean(text string) error {
	clean := cleantext.Clean(text)
	if clean != "" && !strings.HasSuffix(clean, "\n") {
		clean += "\n"
	}
	_, err := fmt.Fprint(a.stdout, clean)
	return err
}
