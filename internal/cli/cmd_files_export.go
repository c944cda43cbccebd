package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/view"
)

type filesExportOptions struct {
	conversation, dir string
	task              int
}

func newFilesExportCmd(a *app) *cobra.Command {
	var o filesExportOptions
	cmd := &cobra.Command{
		Use:   "export CONVERSATION DIR",
		Short: "Write shared files into a new folder",
		Long: `Write the latest version of each shared file of a conversation, or of one of its tasks,
into a new or empty folder. Nothing is overwritten, and nothing is written outside that
folder. The files contain byte for byte what agents wrote, with secrets redacted; read
them before you run any of them.

Files inside a folder ".git" are left out and listed, and so are files whose names this
file system cannot store or tell apart. The exit code is then 1.`,
		Example: `  bridge files export 3f2a ./shared
  bridge files export 3f2a ./of-task-7 --task 7`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return usagef("`%s` takes a conversation and a folder, but was given %d", cmd.CommandPath(), len(args))
		},
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation, o.dir = args[0], args[1]
			return runFilesExport(cmd.Context(), a, o)
		},
	}
	numberFlag(cmd.Flags(), &o.task, "task", "the files of this task of the conversation")
	return cmd
}

func runFilesExport(ctx context.Context, a *app, o filesExportOptions) error {
	return a.withServices(ctx, false, func(s services) error {
		c, err := findConversation(ctx, s.Service, o.conversation)
		if err != nil {
			return err
		}
		all, err := s.fileService.All(ctx, c.ID)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(f files.File) bool { return f.Task != int64(o.task) })
		root, err := emptyFolder(o.dir)
		if err != nil {
			return err
		}
		defer func() { _ = root.Close() }()
		done, err := exportFiles(ctx, s.fileService, root, all)
		if err != nil {
			return err
		}
		return a.tellExport(o.dir, done)
	})
}

// emptyFolder opens a folder, which must be new or empty. A new one is private, because
// what agents wrote is not meant for everybody.
func emptyFolder(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder: %w", err)
	}
	inside, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder: %w", err)
	}
	if len(inside) > 0 {
		return nil, usagef("%s is not empty: name a new folder, so that nothing is overwritten", dir)
	}
	return os.OpenRoot(dir)
}

// exported is the result of an export.
type exported struct {
	Written []string       `json:"written"`
	LeftOut []leftOutEntry `json:"left_out"`
}

type leftOutEntry struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func exportFiles(ctx context.Context, s *files.Service, root *os.Root, all []files.File) (done exported, err error) {
	done = exported{[]string{}, []leftOutEntry{}}
	for _, listed := range all {
		shown := cleantext.CleanLine(listed.Path)
		if reason := notExported(listed.Path); reason != "" {
			done.LeftOut = append(done.LeftOut, leftOutEntry{shown, reason})
			continue
		}
		f, _, err := s.Kept(ctx, listed.Conversation, listed.Name)
		if err != nil {
			return done, err
		}
		if err := writeInside(root, f.Path, f.Text); isFull(err) {
			return done, err
		} else if err != nil {
			done.LeftOut = append(done.LeftOut, leftOutEntry{shown, reasonOf(err)})
			continue
		}
		done.Written = append(done.Written, shown)
	}
	return done, nil
}

// notExported returns the reason why a path is not written; empty if it is. A folder
// ".git" is excluded because its files can name programs that git then runs.
func notExported(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		plain := strings.ToLower(strings.TrimRight(part, ". "))
		if plain == ".git" || plain == "git~1" {
			return "it is in a folder .git"
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "the name is not possible on this system"
	}
	return ""
}

// writeInside writes a file that must not exist yet.
func writeInside(root *os.Root, name, text string) (err error) {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(filepath.FromSlash(dir), 0o700); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteString(text)
	return err
}

// isFull reports whether an error ends the export, because no further file could be
// written.
func isFull(err error) bool {
	var of *fs.PathError
	return errors.As(err, &of) && of.Op == "write"
}

// reasonOf returns an error without the path, which is printed next to it.
func reasonOf(err error) string {
	var of *fs.PathError
	if errors.Is(err, fs.ErrExist) {
		return "a file or folder with that name exists already"
	}
	if errors.As(err, &of) {
		err = of.Err
	}
	return cleantext.CleanLine(err.Error())
}

// errLeftOut is the error of an export that left files out.
var errLeftOut = errors.New("not every file was written: see above")

func (a *app) tellExport(dir string, done exported) error {
	var err error
	if a.json {
		err = a.printJSON(done)
	} else {
		var text strings.Builder
		for _, l := range done.LeftOut {
			fmt.Fprintf(&text, "left out: %s (%s)\n", l.Path, l.Reason)
		}
		_, err = fmt.Fprintf(a.stdout, "%s%s written to %s.\n", &text, view.Count(int64(len(done.Written)), "file"), cleantext.CleanLine(dir))
	}
	if err == nil && len(done.LeftOut) > 0 {
		err = errLeftOut
	}
	return err
}
