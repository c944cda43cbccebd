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

// rawFlag is the name of the flag that prints what agents wrote as it is.
const rawFlag = "raw"

func newFilesShowCmd(a *app) *cobra.Command {
	var o filesShowOptions
	cmd := fileCommand(a, &cobra.Command{
		Use:   "show CONVERSATION PATH",
		Short: "Read a shared file",
		Long: `Print the text of a shared file, of its last version or of an earlier one that is kept.

What agents wrote is shown without anything that could control the terminal. With --raw
it is printed byte for byte, for a file or a program: a terminal is not given it.`,
		Example: `  bridge files show 3f2a docs/api.md
  bridge files show 3f2a docs/api.md --version 3
  bridge files show 3f2a docs/api.md --raw > api.md`,
	}, &o.fileOptions, func(ctx context.Context) error { return runFilesShow(ctx, a, o) })
	numberFlag(cmd.Flags(), &o.version, "version", "the version to show; 0 is the last")
	boolFlag(cmd.Flags(), &o.raw, rawFlag, "print it as it is, where standard output is not a terminal")
	return cmd
}

func runFilesShow(ctx context.Context, a *app, o filesShowOptions) error {
	if o.raw && a.json {
		return usagef("--raw and --json do not go together: JSON has the text without what could control a terminal")
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

// checkRaw refuses to print what agents wrote as it is where it could control a terminal.
func (a *app) checkRaw(raw bool) error {
	if raw && term.IsTerminal(int(a.stdout.Fd())) {
		return usagef("--raw prints what agents wrote as it is, which could control this terminal: redirect it, or leave --raw out")
	}
	return nil
}

// asOf is a file as it was in a version with a text.
func asOf(f files.File, changes []files.Change, version int64, text string) files.File {
	f.Version, f.Text, f.Bytes = version, text, int64(len(text))
	for _, c := range changes {
		if c.Version == version {
			f.Writer, f.WrittenAt = c.Session, c.At
		}
	}
	return f
}

// printClean prints what agents wrote, with a line break at its end.
func (a *app) printClean(text string) error {
	clean := cleantext.Clean(text)
	if clean != "" && !strings.HasSuffix(clean, "\n") {
		clean += "\n"
	}
	_, err := fmt.Fprint(a.stdout, clean)
	return err
}
