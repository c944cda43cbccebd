package table

import (
	"path"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// The tables of programs that change files. They write only inside the workspace,
// and never to a protected name.

var (
	mkdirSpec = table([]row{
		{names: "-p -v --parents --verbose", why: "which folders are made"},
		{names: "-m --mode", value: custom, check: checkMode, why: "rights; no set-user-ID"},
	})
	touchSpec = table([]row{
		{names: "-a -c -m --no-create", why: "which times"},
		{names: "-d --date", value: custom, check: checkDate, why: "a time"},
		{names: "-t", value: keyword, why: "a time"},
	})
	rmdirSpec = table([]row{{names: "-p -v --parents --verbose --ignore-fail-on-non-empty", why: "which folders are removed"}})
	rmSpec    = table([]row{{names: "-f -r -R -v -d --force --recursive --verbose --dir", why: "what is removed"}})
	cpSpec    = table([]row{
		{names: "-r -R -a -p -v -n -f -u -T -x --recursive --archive --verbose --no-clobber --force --update --no-target-directory --one-file-system", why: "what is copied; links in a tree stay links"},
		{names: "-P -d --no-dereference", why: "links stay links"},
	})
	mvSpec    = table([]row{{names: "-v -n -f -u -T --verbose --no-clobber --force --update --no-target-directory", why: "what is moved"}})
	chmodSpec = table([]row{{names: "-v -c --verbose --changes", why: "what is printed"}})
)

// writeOperands checks operands that are files of the workspace to be created or
// changed.
func writeOperands(g *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no path is named: name one inside the workspace")
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	return g.paths(p, 0, g.writable)
}

// removable accepts a path that may be removed or moved: it lies inside the
// workspace, is not the workspace itself, and is not protected.
func (g *guard) removable(name string) error {
	if g.isWorkspaceTop(name) || g.holdsDir(name) {
		return verdict.Refuse(verdict.RemovesTooMuch, "%s is the workspace, the working folder or a parent of one: name the files or folders inside it instead", verdict.Short(name))
	}
	return g.writable(name)
}

// holdsDir reports whether a path is the current folder or contains it.
func (g *guard) holdsDir(name string) bool {
	p, err := g.locate(name)
	return err != nil || paths.Within(g.dir, p.lexical)
}

func removeOperands(g *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no path is named: name one inside the workspace")
	}
	for i := range p.operands {
		w := p.operand(i)
		if w.IsGlob() && isBroadGlob(w.Pattern) {
			return nil, verdict.Refuse(verdict.RemovesTooMuch, "%s matches everything in a folder: name the files that you want to remove", verdict.Short(w.Text))
		}
	}
	recursive := p.has("-r", "-R", "--recursive")
	return g.paths(p, 0, func(name string) error {
		if err := g.removable(name); err != nil {
			return err
		}
		if recursive && !isGenerated(name) {
			return verdict.Refuse(verdict.RemovesTooMuch, "recursive removal is only allowed for folders that builds and tests create, such as dist or node_modules: name the files one by one")
		}
		return nil
	})
}

// generated are names of folders that builds and tests create, and can create
// again.
var generated = strings.Fields("dist build out target node_modules coverage htmlcov .nyc_output .next .nuxt .output .cache .parcel-cache .turbo .svelte-kit .vite .angular .pytest_cache .mypy_cache .ruff_cache .hypothesis .tox .nox __pycache__ .eggs tmp temp .tmp logs log obj bin storybook-static test-results playwright-report .gradle .venv venv env .terraform _build cmake-build-debug cmake-build-release site public/build generated .coverage junit reports")

// isGenerated reports whether a component of a path is the name of such a folder.
func isGenerated(name string) bool {
	for part := range strings.SplitSeq(path.Clean(name), "/") {
		if slices.Contains(generated, part) || strings.HasSuffix(part, ".egg-info") || strings.HasPrefix(part, "build-") || strings.HasPrefix(part, "dist-") {
			return true
		}
	}
	return false
}

// isBroadGlob reports whether a glob's last component has no literal part.
func isBroadGlob(pattern string) bool {
	return strings.Trim(path.Base(pattern), "*?.[]!") == ""
}

// checkCopy checks cp and mv, which take sources and then a destination.
func checkCopy(s *spec, source func(g *guard, recursive bool, name string) error) func(*guard, []Word) ([]string, error) {
	return func(g *guard, args []Word) ([]string, error) {
		p, err := s.read(g, args)
		if err != nil {
			return nil, err
		}
		last := len(p.operands) - 1
		if last < 1 {
			return nil, verdict.Refuse(verdict.BadOperand, "a source and a destination are needed: name both")
		}
		destination := p.operand(last)
		if destination.IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "the destination is an unquoted glob: name it literally")
		}
		if err := g.writable(destination.Text); err != nil {
			return nil, err
		}
		recursive := p.has("-r", "-R", "-a", "--recursive", "--archive")
		accept := func(name string) error {
			if err := source(g, recursive, name); err != nil {
				return err
			}
			return g.writable(strings.TrimSuffix(destination.Text, "/") + "/" + path.Base(path.Clean(name)))
		}
		sources := *p
		sources.operands = p.operands[:last]
		replaced, err := g.paths(&sources, 0, accept)
		if err != nil {
			return nil, err
		}
		return p.build(replaced), nil
	}
}

func copySource(g *guard, recursive bool, name string) error {
	if recursive {
		if err := g.notSecretFile(name); err != nil {
			return err
		}
		return g.readableTree(name)
	}
	return g.readable(name)
}

// moveSource refuses to move files of secrets, since they are recognised by their
// name.
func moveSource(g *guard, _ bool, name string) error {
	if err := g.notSecretFile(name); err != nil {
		return err
	}
	return g.removable(name)
}

// checkMode accepts simple modes: octal ones without the set-user-ID bit, or
// letters.
func checkMode(_ *guard, mode string) error {
	digits := strings.TrimLeft(mode, "0")
	if verdict.IsDigits(mode) && len(digits) <= 3 && strings.Trim(digits, "01234567") == "" {
		return nil
	}
	at := strings.IndexAny(mode, "+-=")
	if at >= 0 && strings.Trim(mode[:at], "ugoa") == "" && len(mode) > at+1 && strings.Trim(mode[at+1:], "rwxX") == "" {
		return nil
	}
	return verdict.Refuse(verdict.SetUserID, "this mode is not allowed: write +x, u+rw or three digits")
}

// checkChmod checks the mode, which may begin with a dash, and then the files.
func checkChmod(g *guard, args []Word) ([]string, error) {
	if len(args) > 1 && !args[0].IsGlob() && strings.HasPrefix(args[0].Text, "-") && checkMode(g, args[0].Text) == nil {
		rest, err := chmodFiles(g, args[1:], 0)
		return append([]string{args[0].Text}, rest...), err
	}
	return chmodFiles(g, args, 1)
}

func chmodFiles(g *guard, args []Word, first int) ([]string, error) {
	p, err := chmodSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if len(p.operands) <= first {
		return nil, verdict.Refuse(verdict.BadOperand, "a mode and a file are needed: write chmod +x FILE")
	}
	if first == 1 {
		if err := checkMode(g, p.operand(0).Text); err != nil {
			return nil, err
		}
	}
	replaced, err := g.paths(p, first, g.writable)
	return p.build(replaced), err
}

func namesSecrets(pattern string) bool {
	if paths.HasGlob(pattern) {
		return paths.GlobNamesSecretFile(pattern)
	}
	return paths.IsSecretFile(pattern)
}
