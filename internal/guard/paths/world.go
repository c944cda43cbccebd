package paths

import (
	"errors"
	"fmt"
	"strings"
)

// World describes the machine for one decision, with its roots resolved.
type World struct {
	FS        FS
	Workspace Root
	Home      string
	ReadRoots []Root
	Secrets   Secrets
}

// NewWorld resolves the workspace and the read roots. A nil fsys means the
// machine's file system. It refuses a workspace that would give access to more
// than a project.
func NewWorld(fsys FS, workspace, home string, stateDirs, readRoots []string) (*World, error) {
	if fsys == nil {
		fsys = Machine{}
	}
	if !IsAbs(workspace) || !IsAbs(home) {
		return nil, errors.New("the workspace and the home folder must be absolute paths")
	}
	w := &World{FS: fsys, Home: Clean(home), Secrets: NewSecrets(Clean(home), stateDirs)}
	var err error
	if w.Workspace, err = NewRoot(fsys, workspace); err != nil {
		return nil, fmt.Errorf("the workspace cannot be resolved: %w", err)
	}
	for _, dir := range readRoots {
		if !IsAbs(dir) {
			return nil, errors.New("every read root must be an absolute path")
		}
		r, err := NewRoot(fsys, dir)
		if err != nil {
			continue // a root that cannot be resolved is ignored
		}
		w.ReadRoots = append(w.ReadRoots, r)
	}
	return w, w.checkWorkspace()
}

// checkWorkspace refuses a workspace that would give access to more than a
// project.
func (w *World) checkWorkspace() error {
	for _, ws := range []string{w.Workspace.Lexical, w.Workspace.Physical} {
		switch {
		case ws == "/" || ws == w.Home || Within(w.Home, ws):
			return errors.New("the workspace is the home folder or one of its parents: choose a project folder")
		case w.Secrets.Has(ws) || w.Secrets.Below(ws):
			return errors.New("the workspace holds secrets or the bridge's own state: choose a project folder")
		}
	}
	return nil
}

// MayRead reports whether a cleaned path lies in the workspace or in a read root,
// or is one of the single files that may be read.
func (w *World) MayRead(name string) bool {
	if w.Workspace.Holds(name) || readFiles[name] {
		return true
	}
	for _, r := range w.ReadRoots {
		if r.Holds(name) {
			return true
		}
	}
	return false
}

// Untilde replaces a leading ~/ with the home folder, as some programs do
// themselves.
func (w *World) Untilde(name string) string {
	if name == "~" || strings.HasPrefix(name, "~/") {
		return w.Home + name[1:]
	}
	return name
}

// Candidates returns the parts of an argument that a program may open as a file.
func Candidates(text string) []string {
	if text == "" || len(text) > 4096 {
		return nil
	}
	out := []string{text}
	for i := range len(text) {
		switch text[i] {
		case '=', ':', '@', ',':
			if rest := text[i+1:]; strings.ContainsAny(rest, "/.~") && len(out) < 16 {
				out = append(out, rest)
				if cut := strings.IndexAny(rest, ":,="); cut > 0 {
					out = append(out, rest[:cut])
				}
			}
			if before := text[:i]; strings.ContainsAny(before, "/.~") && len(out) < 16 {
				out = append(out, before)
			}
		}
	}
	return out
}
