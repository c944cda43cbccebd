package table

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

var (
	pipCommonSpec = table(join(pipCommonRows, []row{{names: "-V --version", why: "prints about itself"}}), stopAtOperand)
	pipSpecs      = map[string]*spec{
		"install": table(join(pipCommonRows, pipInstallRows)),
		"list":    table(join(pipCommonRows, pipListRows)),
		"show":    table(join(pipCommonRows, pipShowRows)),
		"check":   table(pipCommonRows),
		"freeze":  table(join(pipCommonRows, []row{{names: "-l --local --user --exclude-editable --all", why: "what is listed"}})),
	}
	pythonSpec   = table(pythonRows, stopAtOperand)
	unittestSpec = table(unittestRows)
	pytestSpec   = table(pytestRows)
)

func checkPip(g *guard, args []Word) ([]string, error) {
	args = literalExtras(args)
	front, err := pipCommonSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if len(front.operands) == 0 {
		if front.has("-V", "--version", "-h", "--help") {
			return plain(args), nil
		}
		return nil, verdict.Refuse(verdict.UnknownSubcommand, "no subcommand is given: use install, list or show")
	}
	at := front.operands[0]
	name := args[at].Text
	s, ok := pipSpecs[name]
	if !ok || args[at].IsGlob() {
		return nil, unknownSubcommand(name, "install list show freeze check")
	}
	p, err := s.read(g, args[at+1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	if len(p.operands) == 0 && name == "install" && !p.has("-r", "--requirement", "-e", "--editable") {
		return nil, verdict.Refuse(verdict.BadOperand, "install names no package: name one, or a list with -r")
	}
	for i := range p.operands {
		if err := g.pipOperand(name, p.operand(i).Text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return plain(args), nil
}

// literalExtras treats .[test] as the extras that pip reads, not as a glob: no
// shell is involved that could expand it.
func literalExtras(args []Word) []Word {
	out := append([]Word(nil), args...)
	for i, w := range out {
		name, extras, ok := strings.Cut(w.Text, "[")
		if ok && w.IsGlob() && strings.HasSuffix(extras, "]") && isKeywordList(strings.TrimSuffix(extras, "]")) && !strings.ContainsAny(name, "*?\\") {
			out[i].Pattern = ""
		}
	}
	return out
}

func (g *guard) pipOperand(subcommand, operand string) error {
	switch subcommand {
	case "list", "freeze", "check":
		return verdict.Refuse(verdict.BadOperand, "this subcommand takes no arguments: leave them out")
	case "show":
		if isPackageName(strings.ToLower(operand)) {
			return nil
		}
		return verdict.Refuse(verdict.PackageSource, "%s is not a package name", verdict.Short(operand))
	}
	return g.pipRequirement(operand)
}

// pipRequirement accepts NAME[EXTRA]>=1.0, and folders or archives in the
// workspace.
func (g *guard) pipRequirement(spec string) error {
	if strings.Contains(spec, "://") || strings.Contains(spec, "@") || strings.Contains(spec, "+") && strings.Contains(spec, ":") {
		return verdict.Refuse(verdict.PackageSource, "%s is an address: name a package with its version, or a path in the workspace", verdict.Short(spec))
	}
	if strings.HasPrefix(spec, ".") || strings.Contains(spec, "/") {
		return checkPipFolder(g, spec)
	}
	end := 0
	for end < len(spec) && isPackageName(strings.ToLower(spec[:end+1])) {
		end++
	}
	if end == 0 || !isPipVersion(spec[end:]) {
		return verdict.Refuse(verdict.PackageSource, "%s is not a requirement: use NAME, NAME==VERSION or ./PATH", verdict.Short(spec))
	}
	return nil
}

func isPipVersion(s string) bool {
	if strings.HasPrefix(s, "[") {
		extras, rest, ok := strings.Cut(s[1:], "]")
		if !ok || !isKeywordList(extras) {
			return false
		}
		s = rest
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return true
	}
	if strings.IndexByte("<>=!~", s[0]) < 0 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !alnum && strings.IndexByte("<>=!~.,*-+ _", c) < 0 {
			return false
		}
	}
	return true
}

func isKeywordList(s string) bool {
	for part := range strings.SplitSeq(s, ",") {
		if !isPackageName(strings.ToLower(strings.TrimSpace(part))) {
			return false
		}
	}
	return true
}

// checkBinaries accepts names of packages, :all: and :none:.
func checkBinaries(_ *guard, value string) error {
	if value == ":all:" || value == ":none:" || isKeywordList(value) {
		return nil
	}
	return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write :all:, :none: or names of packages")
}

// checkPipFolder accepts ., ./path and ./path[extra] in the workspace.
func checkPipFolder(g *guard, value string) error {
	if strings.ContainsAny(value, ":@#+ ") {
		return verdict.Refuse(verdict.PackageSource, "an address is not allowed: name a folder in the workspace")
	}
	if folder, extras, ok := strings.Cut(value, "["); ok {
		if !strings.HasSuffix(extras, "]") || !isKeywordList(strings.TrimSuffix(extras, "]")) {
			return verdict.Refuse(verdict.PackageSource, "the extras in [ ] are not plain names")
		}
		value = folder
	}
	if value == "" {
		return verdict.Refuse(verdict.BadOperand, "no folder is named: name one in the workspace")
	}
	return g.inWorkspace(value)
}

// checkPython allows a script of the workspace, or a module of the table.
func checkPython(g *guard, args []Word) ([]string, error) {
	split := len(args)
	for i := 0; i < len(args) && strings.HasPrefix(args[i].Text, "-"); i++ {
		if args[i].Text == "-m" && !args[i].IsGlob() {
			split = i
			break
		}
		if args[i].Text == "-W" || args[i].Text == "-X" {
			i++ // the next word is its value
		}
	}
	if split < len(args) {
		return g.pythonModule(args, split)
	}
	p, err := pythonSpec.read(g, args)
	if err != nil {
		if strings.Contains(err.Error(), `"-c"`) || strings.Contains(err.Error(), `"-i"`) {
			return nil, verdict.Refuse(verdict.InlineCode, "inline and interactive code are not allowed: put the code into a file in the workspace")
		}
		return nil, err
	}
	if len(p.operands) == 0 {
		if p.has("-V", "-VV", "--version", "-h", "--help") {
			return plain(args), nil
		}
		return nil, verdict.Refuse(verdict.PipedCode, "interactive code and code from a pipe are not allowed: name a script in the workspace")
	}
	return g.scriptAndArguments(p)
}

// scriptAndArguments checks that the first operand is a script of the workspace.
// The remaining operands are the script's own data.
func (g *guard) scriptAndArguments(p *parsed) ([]string, error) {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	script := p.operand(0).Text
	if script == "-" || script == "" {
		return nil, verdict.Refuse(verdict.PipedCode, "code from a pipe is not allowed: name a script in the workspace")
	}
	if err := g.inWorkspace(script); err != nil {
		return nil, err
	}
	for i := 1; i < len(p.operands); i++ {
		if err := g.checkData(p.operand(i).Text); err != nil {
			return nil, err
		}
	}
	return p.build(nil), nil
}

func (g *guard) pythonModule(args []Word, at int) ([]string, error) {
	front, err := pythonSpec.read(g, args[:at])
	if err != nil {
		return nil, err
	}
	if len(front.operands) > 0 || at+1 >= len(args) {
		return nil, verdict.Refuse(verdict.BadOperand, "-m needs a module: use pytest, unittest or pip")
	}
	name := args[at+1].Text
	check := pythonModules[name]
	if check == nil {
		return nil, verdict.Refuse(verdict.BadOperand, "module %s is not allowed: use pytest, unittest, pip, venv, mypy, ruff, black, isort, flake8 or json.tool", verdict.Short(args[at+1].Text))
	}
	rest, err := check(g, args[at+2:])
	if err != nil {
		return nil, err
	}
	argv := plain(args[:at+2])
	if isolatedModules[name] {
		argv = append([]string{"-I"}, argv...)
	} else if !front.has("-I", "-P") {
		if err := g.shadowed(name); err != nil {
			return nil, err
		}
	}
	return append(argv, rest...), nil
}

// isolatedModules are modules that need no file of the workspace. They run with
// -I, so that no file of the workspace is imported in place of the module or of
// what it imports.
var isolatedModules = map[string]bool{"pip": true, "venv": true, "json.tool": true}

// shadowed refuses a module if the current folder has a module of the same name:
// python -m looks there first, and the approval would not name that code.
func (g *guard) shadowed(module string) error {
	entries, err := g.world.FS.ReadDir(g.dir)
	if err != nil {
		return nil //nolint:nilerr // a folder that is not there shadows nothing
	}
	for _, e := range entries {
		base, ending, _ := strings.Cut(e.Name(), ".")
		if base != module {
			continue
		}
		code := strings.HasSuffix(ending, "py") || strings.HasSuffix(ending, "pyc") || strings.HasSuffix(ending, "so")
		if code || ending == "" && g.isPackage(e.Name()) {
			return verdict.Refuse(verdict.UnknownCode, "%s in the workspace would run instead of the module %s: write -I before -m, or name the script", verdict.Short(e.Name()), module)
		}
	}
	return nil
}

// isPackage reports whether a folder is a Python package. A folder without
// __init__ is not: Python imports it only if nothing else has that name.
func (g *guard) isPackage(name string) bool {
	p, err := g.locate(name)
	if err != nil {
		return true
	}
	entries, _ := g.world.FS.ReadDir(p.physical)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), "__init__.") })
}

// pythonModules are the modules that -m may name.
var pythonModules = map[string]func(*guard, []Word) ([]string, error){
	"pytest": checkPytest, "pip": checkPip, "unittest": checkUnittest, "ruff": checkRuff,
	"mypy":      standard(mypySpec, workOperands),
	"black":     standard(blackSpec, writeOperands),
	"isort":     standard(isortSpec, writeOperands),
	"flake8":    standard(flake8Spec, workOperands),
	"venv":      standard(table([]row{{names: "--without-pip --system-site-packages --symlinks --copies", why: "what is in it"}, {names: "--prompt", value: keyword, why: "its name"}}), writeOperands),
	"json.tool": standard(table([]row{{names: "--sort-keys --compact --no-ensure-ascii --json-lines", why: "layout"}, {names: "--indent", value: number, why: "layout"}}), oneOperand),
}

func checkUnittest(g *guard, args []Word) ([]string, error) {
	p, err := unittestSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	for i := range p.operands {
		if err := g.inWorkspace(p.operand(i).Text); err != nil {
			return nil, err
		}
	}
	return plain(args), nil
}

// checkPythonWarning refuses categories other than the built-in ones: Python
// would import their module.
func checkPythonWarning(_ *guard, value string) error {
	for i, field := range strings.Split(value, ":") {
		switch {
		case i == 0 && oneOf("ignore default error always module once all")(nil, field) != nil:
			return verdict.Refuse(verdict.BadOptionValue, "the action must be ignore, default, error, always, module or once")
		case i == 2 && strings.Contains(field, "."):
			return verdict.Refuse(verdict.BadOptionValue, "a category with a dot imports a module: use a built-in category")
		}
	}
	return nil
}

// checkPytest accepts options of the table, and tests in the workspace.
func checkPytest(g *guard, args []Word) ([]string, error) {
	p, err := pytestSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	replaced, err := g.paths(p, 0, func(name string) error {
		if strings.HasPrefix(name, "@") || name == "-" {
			return verdict.Refuse(verdict.BadOperand, "arguments from a file are not allowed")
		}
		file, _, _ := strings.Cut(name, "::")
		return g.inWorkspace(file)
	})
	return p.build(replaced), err
}

func checkWorkers(_ *guard, value string) error {
	if value == "auto" || value == "logical" || verdict.IsDigits(value) {
		return nil
	}
	return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write a number or auto")
}

func checkCoverage(g *guard, value string) error {
	if verdict.IsKeyword(value) && !strings.HasPrefix(value, ".") {
		return nil
	}
	return g.inWorkspace(value)
}

func checkCoverageReport(g *guard, value string) error {
	kind, where, ok := strings.Cut(value, ":")
	if !verdict.IsKeyword(kind) {
		return verdict.Refuse(verdict.BadOptionValue, "the kind of report must be one plain word")
	}
	if !ok || where == "skip-covered" {
		return nil
	}
	return g.writable(where)
}
