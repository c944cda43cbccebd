package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
	"example.org/bridge/internal/lazyregexp"

	"mvdan.cc/sh/v3/syntax"
)

// Bash evaluates some texts even if they are quoted: the index of an array in
// arithmetic, in names passed to builtins and in [[ -v ]], and prompts.

var errEvaluated = verdict.Refuse(verdict.EvaluatedText, "bash evaluates this text although it is quoted: write a plain name or number")

// evaluatedIndex matches the name of an array element whose index contains a
// command.
var evaluatedIndex = lazyregexp.New("[A-Za-z_]\\w*\\[[^\\]]*(\\$\\(|`)")

func evaluates(text string) bool { return evaluatedIndex().MatchString(text) }

func substitutes(text string) bool {
	return strings.Contains(text, "$(") || strings.Contains(text, "`")
}

// evaluatingBuiltins take variable names or arithmetic as arguments.
var evaluatingBuiltins = expandNames([]struct{ names, why string }{
	{"read unset wait getopts declare typeset local export readonly let mapfile readarray test [ [[ printf exec", "its arguments are names or arithmetic"},
})

// checkEvaluated checks builtins that run their arguments as code.
func (w *walker) checkEvaluated(inv invocation) error {
	switch inv.name {
	case "mapfile", "readarray", "complete", "compgen":
		for i, a := range inv.args {
			isCode := strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.ContainsRune(a.text, 'C')
			if isCode || (inv.name == "compgen" && a.text == "-F") || (i > 0 && inv.args[i-1].text == "-W" && substitutes(a.text)) {
				return errEvaluated
			}
		}
	case "bind":
		for _, a := range inv.args {
			if a.text == "-x" || strings.Contains(a.text, `":`) || a.text == "-f" {
				return verdict.Refuse(verdict.Keystrokes, "binding keys to commands is refused: leave it out")
			}
		}
	case "fc":
		return verdict.Refuse(verdict.EvaluatedText, "fc runs commands from the history: write the command directly")
	}
	if evaluatingBuiltins()[inv.name] == "" {
		return nil
	}
	if has("read mapfile readarray printf getopts", inv.name) {
		for i, a := range inv.args {
			if inv.name != "printf" || (i > 0 && inv.args[i-1].text == "-v") {
				if err := checkFilled(a.text); err != nil {
					return err
				}
			}
		}
	}
	if inv.name == "printf" && (len(inv.args) == 0 || !strings.HasPrefix(inv.args[0].text, "-v")) {
		return nil
	}
	for _, a := range inv.args {
		if evaluates(a.text) {
			return errEvaluated
		}
	}
	return nil
}

// checkFilled checks the name of a variable whose value cannot be determined,
// since a builtin or a loop sets it.
func checkFilled(name string) error {
	if err := refusedSetting(name, unknownText); err != nil {
		return err
	}
	why := loadingVariables()[name]
	if isCommandVariable(name) {
		why = "it is run as a command"
	}
	if why == "" {
		return nil
	}
	return verdict.Refuse(verdict.Environment, "setting %s to a value that is not known before the command runs is refused, because %s", name, why)
}

// checkArithmetic checks a node that bash evaluates as arithmetic: its literal
// text may name an array element whose index is a command.
func (w *walker) checkArithmetic(node syntax.Node) error {
	var err error
	syntax.Walk(node, func(n syntax.Node) bool {
		switch q := n.(type) {
		case *syntax.SglQuoted:
			if substitutes(q.Value) {
				err = errEvaluated
			}
		case *syntax.Lit:
			if substitutes(strings.ReplaceAll(q.Value, `\`, "")) {
				err = errEvaluated
			}
		}
		return err == nil
	})
	return err
}

// calculates reports whether a tree contains arithmetic, or a name that bash
// looks up by its text. In both cases the text of a variable may be evaluated.
func calculates(file *syntax.File) bool {
	for node := range syntax.Preorder(file) {
		switch n := node.(type) {
		case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop, *syntax.TestClause:
			return true
		case *syntax.ParamExp:
			if n.Slice != nil || n.Index != nil || n.Excl {
				return true
			}
		case *syntax.Assign:
			if n.Index != nil {
				return true
			}
		case *syntax.DeclClause:
			for _, a := range n.Args {
				if a.Naked && a.Value != nil && strings.ContainsAny(a.Value.Lit(), "in") {
					return true
				}
			}
		}
	}
	return false
}

// checkPrompt refuses ${x@P}, which expands a variable's text as a prompt.
func checkPrompt(p *syntax.ParamExp) error {
	if p.Exp != nil && p.Exp.Op == syntax.OtherParamOps && p.Exp.Word != nil && p.Exp.Word.Lit() == "P" {
		return errEvaluated
	}
	return nil
}

// checkTest checks [[ ]], whose arithmetic comparisons and -v evaluate their
// operands.
func (w *walker) checkTest(test *syntax.TestClause) error {
	var err error
	syntax.Walk(test, func(n syntax.Node) bool {
		switch t := n.(type) {
		case *syntax.BinaryTest:
			switch t.Op {
			case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
				err = w.checkArithmetic(t)
			}
		case *syntax.UnaryTest:
			if t.Op == syntax.TsVarSet || t.Op == syntax.TsRefVar {
				err = w.checkArithmetic(t)
			}
		}
		return err == nil
	})
	return err
}
