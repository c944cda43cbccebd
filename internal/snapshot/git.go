package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"example.org/bridge/internal/systemtool"
)

// overrides are for commands that read the repository's own configuration.
var overrides = []string{
	"core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "core.editor=true",
	"core.attributesFile=/dev/null", "core.sshCommand=false", "core.askPass=false", "core.untrackedCache=false",
	"diff.external=", "credential.helper=", "protocol.allow=never", "gc.auto=0", "maintenance.auto=false",
	"log.showSignature=false", "gpg.program=false", "commit.gpgSign=false", "submodule.recurse=false",
}

// repository is a workspace in a git repository.
type repository struct {
	git    string // the program
	top    string // the working tree's root: the folder with .git in it
	prefix string // the workspace below top, with slashes; "" for top itself
	dir    string // the git folder
	common string // the one that holds objects and references
	format string // sha1 or sha256
}

// open finds the repository that the workspace is in. It looks for .git
// itself: git would let core.worktree name any other folder.
func open(ctx context.Context, workspace string) (*repository, error) {
	git, err := systemtool.Find("git")
	if err != nil {
		return nil, fmt.Errorf("%w: git: %w", ErrNoRepository, err)
	}
	start, err := filepath.Abs(workspace)
	if err != nil {
		return nil, err
	}
	if start, err = filepath.EvalSymlinks(start); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	r := &repository{git: git}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			r.top = dir
			break
		}
		if dir == filepath.Dir(dir) {
			return nil, ErrNoRepository
		}
	}
	rel, err := filepath.Rel(r.top, start)
	if err != nil {
		return nil, err
	}
	if rel != "." {
		r.prefix = filepath.ToSlash(rel)
	}
	r.dir = filepath.Join(r.top, ".git")
	out, err := r.own(ctx, "rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-object-format")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	switch {
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, errors.Join(ErrNoRepository, err)
	case err != nil: // a broken one must not pass for none
		return nil, err
	case len(lines) != 3:
		return nil, fmt.Errorf("snapshot: git said %q", out)
	}
	r.dir, r.common, r.format = lines[0], lines[1], lines[2]
	if !filepath.IsAbs(r.common) {
		r.common = filepath.Join(r.top, r.common)
	}
	return r, nil
}

// own runs git on the repository itself, its configuration overridden.
func (r *repository) own(ctx context.Context, args ...string) (string, error) {
	full := []string{"--no-pager", "--git-dir=" + r.dir, "--work-tree=" + r.top, "-c", "safe.directory=*"}
	for _, o := range overrides {
		full = append(full, "-c", o)
	}
	return r.run(ctx, environment(), nil, append(full, args...)...)
}

// environment is all that git gets to see.
func environment() []string {
	return []string{
		"PATH=/usr/bin:/bin", "HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=" + os.DevNull, "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_LITERAL_PATHSPECS=1",
		"GIT_AUTHOR_NAME=bridge", "GIT_AUTHOR_EMAIL=bridge@localhost",
		"GIT_COMMITTER_NAME=bridge", "GIT_COMMITTER_EMAIL=bridge@localhost",
	}
}

// gitTimeout ends a git that waits for something: a named pipe in the place of
// a file, for one.
const gitTimeout = 5 * time.Minute

func (r *repository) run(ctx context.Context, env []string, stdin []byte, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.git, args...) // #nosec G204 -- git, with arguments made here
	cmd.Dir = r.top
	cmd.Env = env
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := asOwner(cmd, r.top); err != nil {
		return "", err
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("snapshot: git: %w: %.300q", err, bytes.TrimSpace(errOut.Bytes()))
	}
	return out.String(), nil
}
