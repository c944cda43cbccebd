package table

import (
	"slices"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// place is a path as written, as cleaned, and as resolved by the kernel.
type place struct{ lexical, physical string }

func (g *guard) locate(name string) (place, error) {
	full := paths.Join(g.dir, name)
	actual, err := paths.Resolve(g.world.FS, full)
	if err != nil {
		return place{}, verdict.Refuse(verdict.BadOperand, "path %s cannot be resolved (%s)", verdict.Short(name), err)
	}
	return place{lexical: paths.Clean(full), physical: actual}, nil
}

func (p place) secret(g *guard) bool {
	return g.world.Secrets.Has(p.lexical) || g.world.Secrets.Has(p.physical)
}

// readable accepts a file whose content may be read: it may be listed, and its
// name is not that of a file with secrets.
func (g *guard) readable(name string) error {
	if err := g.listable(name); err != nil {
		return err
	}
	return g.notSecretFile(name)
}

func (g *guard) notSecretFile(name string) error {
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	for _, place := range []string{p.lexical, p.physical} {
		if g.world.Workspace.Holds(place) && (paths.IsSecretFile(place) || (paths.HasGlob(name) && paths.GlobNamesSecretFile(name))) {
			return verdict.ErrSecretFile
		}
	}
	return nil
}

// listable accepts a path whose name and metadata may be read: it lies in the
// workspace or in a read root, both by its name and with its links resolved.
func (g *guard) listable(name string) error {
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if p.secret(g) {
		return verdict.ErrSecret
	}
	if g.world.MayRead(p.lexical) && g.world.MayRead(p.physical) {
		return nil
	}
	return verdict.Refuse(verdict.OutsideWorkspace, "path %s is outside the workspace and the read roots: name a path inside the workspace", verdict.Short(name))
}

// readableTree is readable for a command that reads everything below a path, so
// that no secret may lie below it either.
func (g *guard) readableTree(name string) error {
	if err := g.readable(name); err != nil {
		return err
	}
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if g.world.Secrets.Below(p.lexical) || g.world.Secrets.Below(p.physical) {
		return verdict.Refuse(verdict.ReadsTree, "there are secrets below %s: name a more specific folder", verdict.Short(name))
	}
	return nil
}

// inWorkspace accepts a path that lies in the workspace, both by its name and
// with its links resolved.
func (g *guard) inWorkspace(name string) error {
	p, err := g.locate(name)
	if err != nil {
		return err
	}
	if p.secret(g) {
		return verdict.ErrSecret
	}
	if g.world.Workspace.Holds(p.lexical) && g.world.Workspace.Holds(p.physical) {
		return nil
	}
	return verdict.Refuse(verdict.OutsideWorkspace, "path %s is outside the workspace, and only paths inside it are allowed here: name a path inside the workspace", verdict.Short(name))
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
	inGit := slices.Contains(paths.Components(paths.Fold(p.lexical)), ".git")
	if inGit || paths.NeverWritten(p.lexical) || paths.NeverWritten(p.physical) {
		return verdict.Refuse(verdict.ProtectedPath, "path %s configures git, an editor, a shell or an agent, and must not be changed", verdict.Short(name))
	}
	return nil
}

// isWorkspaceTop reports whether a path is the workspace itself or contains it.
func (g *guard) isWorkspaceTop(name string) bool {
	p, err := g.locate(name)
	return err != nil || paths.Within(g.world.Workspace.Lexical, p.lexical) || paths.Within(g.world.Workspace.Physical, p.physical)
}

// checkData refuses an argument for a project's own program if it names a secret,
// either as a whole or after =, : or @, where programs accept paths.
func (g *guard) checkData(text string) error {
	for _, name := range paths.Candidates(text) {
		p, err := g.locate(g.world.Untilde(name))
		if err != nil {
			return err
		}
		if p.secret(g) {
			return verdict.ErrSecret
		}
	}
	return nil
}
