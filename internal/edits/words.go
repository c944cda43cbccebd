package edits

import (
	"errors"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// word is an argument, and whether it is known what it stands for.
type word struct {
	text  string
	known bool
}

// environment gives the variables that the script has set itself to known texts.
type environment struct{ vars map[string]*string }

func (e environment) Get(name string) expand.Variable {
	if value := e.vars[name]; value != nil {
		return expand.Variable{Set: true, Kind: expand.String, Str: *value}
	}
	return expand.Variable{}
}

func (e environment) Each(func(name string, v expand.Variable) bool) {}

// Bounds of what words may become. A word beyond them is not known.
const (
	maxVariable = 4 << 10 // bytes of a variable
	maxComputed = 4 << 10 // bytes of a word that has variables in it
	maxBraces   = 200     // words that one with braces stands for
)

// plain reports that a word stands for a text whose size is bounded, and that needs
// no command: variables as they are, and few braces.
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

// braces is how many words one with {a,b} or {1..9} stands for, at least up to maxBraces.
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
			case len(e.Lit()) > 1: // long sequences are not counted out
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

// fields expands words. Patterns stay as they are. A word that a command or an
// unknown variable makes is one unknown argument.
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

// errUnknown reports a word of which it is not known what it stands for.
var errUnknown = errors.New("not known before it runs")

// fieldsOf is expand.Fields for a word of which nothing is known: it may hold what
// the library does not expect.
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

// one is the text of a word that has to be one argument.
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

// heredoc is the text of a redirection that has it in the script.
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
		// What stands for itself is known all the same.
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

// assign follows assignments.
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
