package yolo

import (
	"errors"
	"fmt"
	"strings"
)

// DefaultReadRoots are the folders outside the workspace that safe and
// restricted mode may read, unless the operator configures others.
func DefaultReadRoots() []string {
	return []string{"/usr", "/opt", "/srv", "/etc", "/var/log", "/var/www"}
}

// readFiles are single files outside every root that may be read: they describe
// the machine and hold nothing of anyone.
var readFiles = map[string]bool{
	"/dev/null":     true,
	"/proc/cpuinfo": true, "/proc/meminfo": true, "/proc/loadavg": true,
	"/proc/uptime": true, "/proc/version": true,
}

// root is a folder as it was named and as it really is.
type root struct{ lexical, physical string }

func newRoot(fsys FS, dir string) (root, error) {
	actual, err := resolve(fsys, dir)
	return root{lexical: cleanPath(dir), physical: actual}, err
}

func (r root) holds(name string) bool { return within(name, r.lexical) || within(name, r.physical) }

// place is a path as written, cleaned, and as the kernel would find it.
type place struct{ lexical, physical string }

func (g *guard) locate(name string) (place, error) {
	full := joinDir(g.workspace.lexical, name)
	actual, err := resolve(g.fs, full)
	if err != nil {
		return place{}, fmt.Errorf("path %s cannot be resolved: %w", short(name), err)
	}
	return place{lexical: cleanPath(full), physical: actual}, nil
}

func (p place) secret(g *guard) bool { return g.secrets.has(p.lexical) || g.secrets.has(p.physical) }

var errSecret = errors.New("this path holds secrets or the bridge's own state: it is refused in every mode")

// readable accepts a path that may be read: in the workspace or a read root, by
// its name and by where its links lead.
func (g *guard) readable(name string) error {
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if p.secret(g) {
		return errSecret
	}
	if g.readAllowed(p.lexical) && g.readAllowed(p.physical) {
		return nil
	}
	return fmt.Errorf("path %s is outside the workspace and the read roots: name a path inside the workspace", short(name))
}

func (g *guard) readAllowed(name string) bool {
	if g.workspace.holds(name) || readFiles[name] {
		return true
	}
	for _, r := range g.readRoots {
		if r.holds(name) {
			return true
		}
	}
	return false
}

// readableTree is readable for a command that reads everything below a path:
// nothing secret may lie below it either.
func (g *guard) readableTree(name string) error {
	if err := g.readable(name); err != nil {
		return err
	}
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if g.secrets.below(p.lexical) || g.secrets.below(p.physical) {
		return fmt.Errorf("secrets lie below %s: name a narrower folder", short(name))
	}
	return nil
}

// inWorkspace accepts a path that is in the workspace, by name and by links.
func (g *guard) inWorkspace(name string) error {
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if p.secret(g) {
		return errSecret
	}
	if g.workspace.holds(p.lexical) && g.workspace.holds(p.physical) {
		return nil
	}
	return fmt.Errorf("path %s is outside the workspace: only paths inside it are allowed here", short(name))
}

// writable accepts a path in the workspace that a command may write or replace.
func (g *guard) writable(name string) error {
	if err := g.inWorkspace(name); err != nil {
		return err
	}
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if neverWritable(p.lexical) || neverWritable(p.physical) {
		return fmt.Errorf("path %s configures git, an editor, a shell or an agent: it is never written", short(name))
	}
	return nil
}

// isWorkspaceTop reports whether a path is the workspace itself or above it.
func (g *guard) isWorkspaceTop(name string) bool {
	p, err := g.locate(name)
	return err != nil || within(g.workspace.lexical, p.lexical) || within(g.workspace.physical, p.physical)
}

// checkData refuses a program's own argument that names a secret: as a whole,
// or after =, : or @, where programs put paths.
func (g *guard) checkData(text string) error {
	for _, name := range pathCandidates(text) {
		p, err := g.locate(g.untilde(name))
		if err != nil {
			return err
		}
		if p.secret(g) {
			return errSecret
		}
	}
	return nil
}

// untilde replaces a leading ~/ by the home folder, as a program itself might.
func (g *guard) untilde(name string) string {
	if name == "~" || strings.HasPrefix(name, "~/") {
		return g.home + name[1:]
	}
	return name
}

// pathCandidates are the pieces of an argument that a program may open.
func pathCandidates(text string) []string {
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
