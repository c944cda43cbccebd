package table

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// Not allowed are --with, --with-requirements, --from, --index, --default-index,
// --project and --directory outside the workspace, --env-file, --python PATH,
// --script, and -m with other modules.
var (
	uvRunRows = []row{
		{names: "--frozen --locked --no-sync --isolated --no-dev --dev --all-extras --no-progress --offline -q --quiet -v --verbose --exact --active", why: "what is synchronised and printed"},
		{names: "--extra --group --only-group --no-group --package", value: keyword, why: "a part of this project"},
	}
	uvSyncRows = []row{
		{names: "--frozen --locked --no-dev --dev --all-extras --all-groups --no-install-project --no-progress --offline -q --quiet -v --verbose --check --dry-run --upgrade -U --inexact", why: "what is synchronised and printed"},
		{names: "--extra --group --only-group --no-group --package --optional", value: keyword, why: "a part of this project"},
	}
	uvRunSpec  = table(uvRunRows, withWholeTokens, stopAtOperand)
	uvSyncSpec = table(uvSyncRows, withWholeTokens)
)

// uvPrograms are the programs that `uv run` may start in addition to a script of
// the workspace. Each is checked by its own table.
var uvPrograms = strings.Fields("python python3 pytest ruff mypy black isort flake8 pip")

func checkUv(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 || args[0].IsGlob() {
		return nil, unknownSubcommand("", "run sync add remove lock tree pip")
	}
	name := args[0].Text
	switch name {
	case "--version", "version":
		if len(args) == 1 {
			return plain(args), nil
		}
	case "run":
		return g.uvRun(args)
	case "sync", "lock", "tree":
		p, err := uvSyncSpec.read(g, args[1:])
		if err == nil && len(p.operands) > 0 {
			err = verdict.Refuse(verdict.BadOperand, "%s takes no argument such as %s", name, verdict.Short(p.operand(0).Text))
		}
		return plain(args), err
	case "add", "remove":
		p, err := uvSyncSpec.read(g, literalExtras(args[1:]))
		if err != nil {
			return nil, err
		}
		for i := range p.operands {
			if err := g.pipRequirement(p.operand(i).Text); err != nil {
				return nil, err
			}
		}
		return plain(args), p.noGlobs(len(p.operands))
	case "pip":
		rest, err := checkPip(g, args[1:])
		if err != nil {
			return nil, fmt.Errorf("pip: %w", err)
		}
		return append([]string{"pip"}, rest...), nil
	}
	return nil, unknownSubcommand(name, "run sync add remove lock tree pip")
}

// uvRun checks what uv starts: a program of the tables, or a script.
func (g *guard) uvRun(args []Word) ([]string, error) {
	p, err := uvRunSpec.read(g, args[1:])
	if err != nil {
		return nil, err
	}
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no program is named: write uv run pytest or uv run SCRIPT.py")
	}
	at := 1 + p.operands[0]
	inner := args[at].Text
	head := plain(args[:at])
	if strings.Contains(inner, "://") {
		return nil, verdict.Refuse(verdict.DownloadedCode, "a script from an address is not allowed: put it into the workspace")
	}
	if strings.HasSuffix(inner, ".py") && !args[at].IsGlob() {
		rest, err := checkPython(g, args[at:])
		return append(head, rest...), err
	}
	known, ok := innerPrograms()[inner]
	if !ok || args[at].IsGlob() || !slices.Contains(uvPrograms, inner) {
		return nil, verdict.Refuse(verdict.UnknownProgram, "%s is not allowed after uv run: use one of %s, or a script of the workspace", verdict.Short(inner), strings.Join(uvPrograms, " "))
	}
	rest, err := known(g, args[at+1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", inner, err)
	}
	return append(append(head, inner), rest...), nil
}

// innerPrograms returns the checks of the programs that uv may start. It is a
// function because the table of programs contains uv itself.
func innerPrograms() map[string]func(*guard, []Word) ([]string, error) {
	return map[string]func(*guard, []Word) ([]string, error){
		"python": checkPython, "python3": checkPython, "pytest": checkPytest, "pip": checkPip,
		"ruff": checkRuff, "mypy": standard(mypySpec, workOperands), "black": standard(blackSpec, writeOperands),
		"isort": standard(isortSpec, writeOperands), "flake8": standard(flake8Spec, workOperands),
	}
}
