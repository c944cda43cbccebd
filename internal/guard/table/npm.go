package table

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

var npmCommands = map[string]struct {
	spec   *spec
	runs   string
	check  func(g *guard, p *parsed) (map[int][]string, error)
	script bool
}{
	"install":    {npmInstallSpec, "install", npmPackages, false},
	"i":          {npmInstallSpec, "install", npmPackages, false},
	"ci":         {npmInstallSpec, "ci", npmNothing, false},
	"ls":         {npmListSpec, "ls", npmPackages, false},
	"list":       {npmListSpec, "ls", npmPackages, false},
	"outdated":   {npmListSpec, "outdated", npmPackages, false},
	"audit":      {npmListSpec, "audit", npmNothing, false},
	"start":      {npmRunSpec, "start", npmNoNames, true},
	"run":        {npmRunSpec, "run", npmScript, true},
	"run-script": {npmRunSpec, "run", npmScript, true},
	"test":       {npmRunSpec, "test", npmNoNames, true},
	"t":          {npmRunSpec, "test", npmNoNames, true},
	"build":      {npmRunSpec, "run build", npmNoNames, true},
}

var (
	npmInstallSpec = table(join(npmCommonRows, npmInstallRows), withWholeTokens)
	npmRunSpec     = table(npmCommonRows, withWholeTokens)
	npmListSpec    = table(join(npmCommonRows, []row{
		{names: "-a --all --depth=0 --depth=1 --omit=dev --prod", why: "what is listed"},
		{names: "--depth --omit --audit-level", value: keyword, why: "what is listed"},
	}), withWholeTokens)
)

func checkNpm(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 {
		return nil, verdict.Refuse(verdict.UnknownSubcommand, "no subcommand is given: use install, run, test or build")
	}
	name := args[0].Text
	if len(args) == 1 && (name == "--version" || name == "-v") {
		return []string{name}, nil
	}
	sub, ok := npmCommands[name]
	if !ok || args[0].IsGlob() {
		return nil, unknownSubcommand(name, "install ci run test build start ls outdated audit")
	}
	p, err := sub.spec.read(g, args[1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w (a script's own arguments come after --)", name, err)
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	if err := g.programArguments(p, sub.script); err != nil {
		return nil, err
	}
	replaced, err := sub.check(g, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return append(strings.Fields(sub.runs), p.build(replaced)...), nil
}

// programArguments checks the arguments after --. They belong to the project's
// own program and may be anything except a secret path.
func (g *guard) programArguments(p *parsed, allowed bool) error {
	if p.dashes < 0 {
		return nil
	}
	if !allowed && p.dashes < len(p.operands) {
		return verdict.Refuse(verdict.BadOperand, "-- is not allowed here")
	}
	for i := p.dashes; i < len(p.operands); i++ {
		if err := g.checkData(p.operand(i).Text); err != nil {
			return err
		}
	}
	return nil
}

// before returns how many operands come before --.
func (p *parsed) before() int {
	if p.dashes >= 0 {
		return p.dashes
	}
	return len(p.operands)
}

func npmNothing(_ *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) > 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "this subcommand takes no package: use install")
	}
	return nil, nil
}

func npmNoNames(_ *guard, p *parsed) (map[int][]string, error) {
	if p.before() > 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "this argument is for npm: put the script's own arguments after --")
	}
	return nil, nil
}

func npmScript(g *guard, p *parsed) (map[int][]string, error) {
	if p.before() == 0 && len(p.operands) > 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no script is named: put its name before --")
	}
	for i := range p.before() {
		name := p.operand(i).Text
		if i == 0 && !isScriptName(name) {
			return nil, verdict.Refuse(verdict.BadOperand, "%s is not the name of a script: use a name of package.json's scripts", verdict.Short(name))
		}
		if err := g.checkData(name); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func isScriptName(name string) bool {
	for i := range len(name) {
		c := name[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
		if !alnum && (i == 0 || strings.IndexByte(":-./+", c) < 0) {
			return false
		}
	}
	return name != "" && !paths.HasUp(name)
}

// npmPackages accepts package names from the registry, with a version, and
// folders or archives in the workspace.
func npmPackages(g *guard, p *parsed) (map[int][]string, error) {
	for i := range p.operands {
		if err := g.npmPackage(p.operand(i).Text); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (g *guard) npmPackage(spec string) error {
	if strings.HasPrefix(spec, ".") || strings.HasPrefix(spec, "/") {
		return g.inWorkspace(spec)
	}
	name, version := spec, ""
	if at := strings.LastIndexByte(spec, '@'); at > 0 {
		name, version = spec[:at], spec[at+1:]
	}
	if strings.HasPrefix(name, "@") {
		scope, bare, ok := strings.Cut(name[1:], "/")
		if !ok || !isPackageName(scope) {
			return verdict.Refuse(verdict.PackageSource, "%s is not a package name", verdict.Short(spec))
		}
		name = bare
	}
	if !isPackageName(name) || !isVersion(version) {
		return verdict.Refuse(verdict.PackageSource, "%s is not a package of the registry: use NAME@VERSION, or ./PATH for a folder in the workspace", verdict.Short(spec))
	}
	return nil
}

func isPackageName(name string) bool {
	for i := range len(name) {
		c := name[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !alnum && (i == 0 || strings.IndexByte("-._", c) < 0) {
			return false
		}
	}
	return name != ""
}

// isVersion accepts version ranges and tags, but no addresses, paths or aliases.
func isVersion(v string) bool {
	for i := range len(v) {
		c := v[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !alnum && strings.IndexByte("^~<>=.-+* |_", c) < 0 {
			return false
		}
	}
	return !strings.HasPrefix(v, ".") && !strings.HasPrefix(v, "~/")
}

func checkNpmWorkspace(g *guard, value string) error {
	if strings.HasPrefix(value, ".") || strings.HasPrefix(value, "/") || !strings.HasPrefix(value, "@") {
		return g.inWorkspace(value)
	}
	return g.npmPackage(value)
}
