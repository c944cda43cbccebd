package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// The tables of go. Not listed, and therefore refused, are -exec, -toolexec,
// -vettool, -overlay, -modfile, -C, -pkgdir, -gcflags, -asmflags, -compiler,
// -gccgoflags, -installsuffix, and packages at a given version (PKG@VERSION).
var (
	goBuildRows = []row{
		{names: "-v -x -n -a -race -msan -asan -trimpath -linkshared -work -cover -json", why: "what is built and printed"},
		{names: "-p", value: number, why: "how many at once"},
		{names: "-tags -buildvcs -covermode -coverpkg", value: custom, check: checkFeatures, why: "what is built"},
		{names: "-mod", value: custom, check: oneOf("readonly vendor mod"), why: "where modules come from"},
		{names: "-buildmode", value: keyword, why: "what is built"},
		{names: "-ldflags", value: custom, check: checkLinkFlags, why: "names and symbols; no other linker"},
	}
	goOutputRows = []row{{names: "-o", value: writePath, why: "a file or folder of the workspace"}}
	goTestRows   = []row{
		{names: "-short -failfast -benchmem -c -i -fullpath", why: "which tests run"},
		{names: "-run -bench -skip -list -fuzz", value: text, why: "which tests run"},
		{names: "-count -parallel -cpu -blockprofilerate -memprofilerate", value: keyword, why: "how tests run"},
		{names: "-timeout -benchtime -fuzztime -fuzzminimizetime -shuffle", value: keyword, why: "how tests run"},
		{names: "-vet", value: keyword, why: "checks before the tests"},
		{names: "-coverprofile -cpuprofile -memprofile -blockprofile -mutexprofile -trace -outputdir", value: writePath, why: "a report in the workspace"},
	}
	goListRows = []row{
		{names: "-json -m -deps -test -e -find -u -versions -compiled", why: "what is listed", value: none},
		{names: "-f", value: text, why: "printed text"},
		{names: "-tags", value: custom, check: checkFeatures, why: "what is listed"},
		{names: "-mod", value: custom, check: oneOf("readonly vendor mod"), why: "where modules come from"},
	}
	goDocRows = []row{{names: "-all -c -short -src -u -cmd", why: "what is printed"}}
	goFmtRows = []row{{names: "-n -x", why: "what is printed"}}
	goGetRows = []row{{names: "-u -t -v -x", why: "which modules"}}
)

// goCommand is one subcommand of go.
type goCommand struct {
	spec  *spec
	check func(g *guard, p *parsed) error
}

var goCommands = map[string]goCommand{
	"build":    {table(join(goBuildRows, goOutputRows), withDashValues), goPackages},
	"install":  {table(goBuildRows, withDashValues), goPackages},
	"test":     {table(join(goBuildRows, goOutputRows, goTestRows), withDashValues), goPackages},
	"vet":      {table(goBuildRows, withDashValues), goPackages},
	"run":      {table(goBuildRows, withDashValues, stopAtOperand), goRun},
	"list":     {table(goListRows, withDashValues), goPackages},
	"doc":      {table(goDocRows, withDashValues), goNames},
	"fmt":      {table(goFmtRows, withDashValues), goPackages},
	"generate": {table(goFmtRows, withDashValues), goPackages},
	"get":      {table(goGetRows, withDashValues), goModules},
	"env":      {table([]row{{names: "-json -changed", why: "what is printed"}}, withDashValues), goNames},
	"version":  {table([]row{{names: "-m", why: "what is printed"}}, withDashValues), goPackages},
	"mod":      {table([]row{{names: "-v -x -json", why: "what is printed"}, {names: "-go -compat", value: keyword, why: "a version"}}, withDashValues), goMod},
}

func checkGo(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 {
		return nil, verdict.Refuse(verdict.UnknownSubcommand, "no subcommand is given: use build, test, vet, run or mod")
	}
	name := args[0].Text
	sub, ok := goCommands[name]
	if !ok || args[0].IsGlob() {
		return nil, unknownSubcommand(name, "build test vet run fmt mod list doc get generate install env version")
	}
	rest, own := cutAt(args[1:], "-args", name == "test")
	p, err := sub.spec.read(g, rest)
	if err != nil {
		return nil, err
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	if err := sub.check(g, p); err != nil {
		return nil, err
	}
	for _, w := range own {
		if err := g.checkData(w.Text); err != nil {
			return nil, err
		}
	}
	return append(append([]string{name}, p.build(nil)...), plain(own)...), nil
}

// cutAt splits arguments at a word after which everything belongs to another
// program.
func cutAt(args []Word, word string, applies bool) (before, after []Word) {
	for i, w := range args {
		if applies && (w.Text == word || w.Text == "-"+word) {
			return args[:i], args[i:]
		}
	}
	return args, nil
}

// goPackage accepts ./..., ./x, x.go and import paths, all without a version.
func (g *guard) goPackage(name string) error {
	if strings.ContainsAny(name, "@:= ") || strings.HasPrefix(name, "-") {
		return verdict.Refuse(verdict.PackageSource, "%s is not a package of the workspace: write ./PATH or an import path without a version", verdict.Short(name))
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasSuffix(name, ".go") {
		return g.inWorkspace(strings.TrimSuffix(name, "..."))
	}
	if !isScriptName(strings.TrimSuffix(name, "...")) && name != "..." {
		return verdict.Refuse(verdict.PackageSource, "%s is not a package of the workspace: write ./PATH or an import path without a version", verdict.Short(name))
	}
	return nil
}

func goPackages(g *guard, p *parsed) error {
	for i := range p.operands {
		if err := g.goPackage(p.operand(i).Text); err != nil {
			return err
		}
	}
	return nil
}

// goRun accepts one package, or files, of the workspace. The remaining arguments
// are the program's.
func goRun(g *guard, p *parsed) error {
	if len(p.operands) == 0 {
		return verdict.Refuse(verdict.BadOperand, "no package is named: write go run . or go run ./PATH")
	}
	first := p.operand(0).Text
	if !strings.HasPrefix(first, ".") && !strings.HasPrefix(first, "/") && !strings.HasSuffix(first, ".go") {
		return verdict.Refuse(verdict.PackageSource, "go run takes a package of the workspace: write ./PATH")
	}
	if err := g.goPackage(first); err != nil {
		return err
	}
	for i := 1; i < len(p.operands); i++ {
		if err := g.checkData(p.operand(i).Text); err != nil {
			return err
		}
	}
	return nil
}

func goNames(_ *guard, p *parsed) error {
	for i := range p.operands {
		if name := p.operand(i).Text; !isScriptName(name) {
			return verdict.Refuse(verdict.BadOperand, "%s is not a plain name", verdict.Short(name))
		}
	}
	return nil
}

// goModules accepts modules with versions, as npm install accepts packages.
func goModules(g *guard, p *parsed) error {
	for i := range p.operands {
		name, version, _ := strings.Cut(p.operand(i).Text, "@")
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") {
			if err := g.goPackage(name); err != nil {
				return err
			}
			continue
		}
		if !isScriptName(strings.TrimSuffix(name, "...")) || !isVersion(version) {
			return verdict.Refuse(verdict.PackageSource, "%s is not a module: write PATH@VERSION", verdict.Short(name))
		}
	}
	return nil
}

func goMod(_ *guard, p *parsed) error {
	if len(p.operands) == 0 || oneOf("tidy download verify why graph vendor init")(nil, p.operand(0).Text) != nil {
		return verdict.Refuse(verdict.UnknownSubcommand, "this subcommand of go mod is not allowed: use tidy, download, verify, why, graph, vendor or init")
	}
	for i := 1; i < len(p.operands); i++ {
		name, version, _ := strings.Cut(p.operand(i).Text, "@")
		if !isScriptName(name) || !isVersion(version) {
			return verdict.Refuse(verdict.PackageSource, "%s is not a module: write PATH@VERSION", verdict.Short(name))
		}
	}
	return nil
}

// checkLinkFlags accepts -s, -w and -X NAME=VALUE. It refuses flags that name a
// program or a file.
func checkLinkFlags(_ *guard, value string) error {
	words := strings.Fields(value)
	for i := 0; i < len(words); i++ {
		word := strings.Trim(words[i], `'"`)
		switch {
		case word == "-s" || word == "-w":
		case word == "-X" && i+1 < len(words):
			i++
		case strings.HasPrefix(word, "-X="):
		default:
			return verdict.Refuse(verdict.BadOptionValue, "only -s, -w and -X are allowed in -ldflags: leave the others out")
		}
	}
	return nil
}
