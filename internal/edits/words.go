package edits

import (
	"errors"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// word is an argument, and whether its value is known.
type word struct {
	text  string
	known bool
}

// environment provides the variables that the script itself has set to known
// values.
type environment struct{ vars map[string]*string }

func (e environment) Get(name string) expand.Variable {
	if value := e.vars[name]; value != nil {
		return expand.Variable{Set: true, Kind: expand.String, Str: *value}
	}
	return expand.Variable{}
}

func (e environment) Each(func(name string, v expand.Variable) bool) {}

// Limits of the expansion. A word beyond them is not known.
const (
	maxVariable = 4 << 10 // bytes of a variable
	maxComputed = 4 << 10 // bytes of a word that contains variables
	maxBraces   = 200     // words that result from braces
)

// plain reports whether the expansion of a word is limited in size and runs no
// command: it has only plain variables and few braces.
func plain(x *syntax.Word) bool {
	ok, variables := true, false
	syntax.Walk(x, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst, *syntax.ArithmExp, *syntax.ExtGlob:
			ok = false
		case *syntax.ParamExp:
			variables = true
			if n.Excl || n.Length || n.Width || n.Index != nil || n.Slice != nil || n.Repl != nil || n.Names != 0 || n.Exp != nil {
				ok = false
			}
		}
		return ok
	})
	if variables && x.End().Offset()-x.Pos().Offset() > maxComputed {
		return false
	}
	return ok && braces(x) <= maxBraces
}

// braces returns the number of words that {a,b} or {1..9} expands to, counted at least up
// to maxBraces.
func braces(x *syntax.Word) int {
	split := *x
	if !syntax.SplitBraces(&split) {
		return 1
	}
	return alternatives(&split)
}

func alternatives(x *syntax.Word) int {
	count := 1
	for _, part := range x.Parts {
		b, ok := part.(*syntax.BraceExp)
		if !ok {
			continue
		}
		elements := 0
		for _, e := range b.Elems {
			switch {
			case !b.Sequence:
				elements += alternatives(e)
			case len(e.Lit()) > 1: // long sequences are not counted completely
				elements = maxBraces + 1
			default:
				elements = 60
			}
		}
		if count *= max(1, elements); count > maxBraces {
			return count
		}
	}
	return count
}

// fields expands words. Patterns are kept as they are. A word that depends on a
// command or an unknown variable becomes one unknown argument.
func (w *walker) fields(words []*syntax.Word) []word {
	config := &expand.Config{Env: environment{w.vars}, NoUnset: true}
	var all []word
	for _, one := range words {
		texts, err := fieldsOf(config, one)
		if err != nil || len(all) > MaxTargets {
			all = append(all, word{})
			continue
		}
		for _, text := range texts {
			all = append(all, word{text, true})
		}
	}
	return all
}

// errUnknown reports a word whose value is not known.
var errUnknown = errors.New("not known before it runs")

// fieldsOf is expand.Fields for untrusted words, which may make the library panic.
func fieldsOf(config *expand.Config, one *syntax.Word) (texts []string, err error) {
	if !plain(one) {
		return nil, errUnknown
	}
	defer func() {
		if recover() != nil {
			texts, err = nil, errUnknown
		}
	}()
	return expand.Fields(config, one)
}

// one returns the value of a word that has to be a single argument.
func (w *walker) one(x *syntax.Word) (string, bool) {
	if x == nil {
		return "", false
	}
	all := w.fields([]*syntax.Word{x})
	if len(all) != 1 || !all[0].known {
		return "", false
	}
	return all[0].text, true
}

// heredoc returns the text of a redirection that is contained in the script.
func (w *walker) heredoc(r *syntax.Redirect) (string, bool) {
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		if r.Hdoc == nil {
			return "", false
		}
		config := &expand.Config{Env: environment{w.vars}, NoUnset: true}
		if text, err := documentOf(config, r.Hdoc); err == nil {
			return text, true
		}
		// Literal parts are known even then.
		var b strings.Builder
		for _, part := range r.Hdoc.Parts {
			if lit, ok := part.(*syntax.Lit); ok {
				b.WriteString(lit.Value)
			}
		}
		return b.String(), true
	case syntax.WordHdoc:
		return w.one(r.Word)
	}
	return "", false
}

func documentOf(config *expand.Config, x *syntax.Word) (text string, err error) {
	if !plain(x) {
		return "", errUnknown
	}
	defer func() {
		if recover() != nil {
			text, err = "", errUnknown
		}
	}()
	return expand.Document(config, x)
}

// assign handles assignments.
func (w *walker) assign(assigns []*syntax.Assign) {
	for _, a := range assigns {
		if a.Name == nil || a.Naked && a.Value == nil && a.Array == nil {
			continue
		}
		name := a.Name.Value
		text, known := "", a.Value == nil && a.Array == nil
		if a.Value != nil && !a.Append && a.Index == nil {
			config := &expand.Config{Env: environment{w.vars}, NoUnset: true}
			var err error
			text, err = literalOf(config, a.Value)
			known = err == nil && len(text) <= maxVariable
		}
		delete(w.vars, name)
		if known {
			w.vars[name] = &text
		}
	}
}

func literalOf(config *expand.Config, x *syntax.Word) (text string, err error) {
	if !plain(x) {
		return "", errUnknown
	}
	defer func() {
		if recover() != nil {
			text, err = "", errUnknown
		}
	}()
	return expand.Literal(config, x)
}
