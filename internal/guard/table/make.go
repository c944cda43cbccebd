package table

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// Not allowed are --eval, -E, -I, -W, -o, --shuffle with a file, -f -, and
// folders outside the workspace. A makefile is the project's own code, like a
// script in package.json.
var makeRows = []row{
	{names: "-k -n -s -B -i -q -w -S -r -R -p -t --keep-going --dry-run --just-print --silent --quiet --always-make --ignore-errors --question --print-directory --no-print-directory --no-builtin-rules --trace --stop --no-keep-going --warn-undefined-variables --version", why: "how targets are made"},
	{names: "-j --jobs -l --load-average -O --output-sync", value: keyword, optional: true, wordNext: false, why: "how many at once"},
	{names: "-C --directory", value: workPath, why: "a folder of the workspace"},
	{names: "-f --file --makefile", value: custom, check: makefile, why: "a makefile of the workspace"},
}

var makeSpec = table(join([]row{{names: "--help", why: "prints about itself"}}, makeRows))

func makefile(g *guard, value string) error {
	if value == "-" {
		return verdict.Refuse(verdict.PipedCode, "a makefile from a pipe is not allowed: name a file in the workspace")
	}
	return g.inWorkspace(value)
}

// refusedMakeVariables run programs, or change how makefiles are read.
var refusedMakeVariables = []string{"SHELL", ".SHELLFLAGS", "MAKE", "MAKEFLAGS", "MAKEFILES", "MFLAGS", "MAKEOVERRIDES", "BASH_ENV", "ENV", "PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONSTARTUP", "NODE_OPTIONS", "GOFLAGS", "GIT_SSH_COMMAND"}

// makeTools are variables that conventionally name programs, and knownTools are
// the programs that they may name.
var (
	makeTools  = strings.Fields("CC CXX LD AR AS CPP FC GO CARGO RUSTC PYTHON PYTHON3 NODE NPM YARN PNPM DOCKER GIT INSTALL RM CP MV MKDIR SED AWK GREP TAR CURL WGET STRIP RANLIB OBJCOPY PKG_CONFIG CMAKE BASH SUDO EDITOR PAGER")
	knownTools = strings.Fields("gcc g++ clang clang++ cc c++ tcc python python3 go node npm pnpm yarn cargo rustc ld ar")
)

// checkMake accepts targets and plain NAME=value words.
func checkMake(g *guard, args []Word) ([]string, error) {
	p, err := makeSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	for i := range p.operands {
		name, setting, isSetting := strings.Cut(p.operand(i).Text, "=")
		if !isSetting {
			if !isScriptName(name) {
				return nil, verdict.Refuse(verdict.BadOperand, "%s is not the name of a target", verdict.Short(name))
			}
			continue
		}
		if err := g.makeVariable(strings.TrimRight(name, ":?+"), setting); err != nil {
			return nil, err
		}
	}
	return p.build(nil), nil
}

func (g *guard) makeVariable(name, setting string) error {
	switch {
	case slices.Contains(refusedMakeVariables, name) || strings.HasSuffix(name, "!") || !isScriptName(name):
		return verdict.Refuse(verdict.ShellAssignment, "variable %s changes what make runs: leave it out", verdict.Short(name))
	case slices.Contains(makeTools, name) && !slices.Contains(knownTools, setting):
		return verdict.Refuse(verdict.ShellAssignment, "%s names a program that make would run: use gcc, clang or another plain compiler", verdict.Short(name))
	case strings.ContainsAny(setting, "$`;|&<>(){}\\'\"\n"):
		return verdict.Refuse(verdict.ShellAssignment, "this value of %s would be expanded by make or a shell: write a plain value", verdict.Short(name))
	case strings.HasPrefix(setting, "/") || strings.Contains(setting, ".."):
		return g.inWorkspace(setting)
	}
	return g.checkData(setting)
}
