package shell

import (
	"strings"

	"example.org/bridge/internal/guard/paths"

	"mvdan.cc/sh/v3/syntax"
)

// assign checks an assignment, and records the value if it is certain.
func (w *walker) assign(a *syntax.Assign, s *state, lasting bool) error {
	if a.Value != nil && substitutesNames(a.Value) && w.listsHome(a.Value, s) || a.Array != nil && w.listsHome(a.Array, s) {
		w.homeNames = true
	}
	if err := w.elements(a, s); err != nil {
		return err
	}
	name := ""
	if a.Name != nil {
		name = a.Name.Value
	}
	if a.Value == nil {
		return refusedSetting(name, "")
	}
	values, err := w.word(a.Value, s)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := w.checkSecret(v, s); err != nil {
			return err
		}
		if err := w.checkSetting(name, v, s); err != nil {
			return err
		}
		if w.calculates && evaluates(v.text) {
			return errEvaluated
		}
	}
	if lasting && s.runsOnce && w.assigns[name] == 1 && !a.Append && a.Index == nil && len(values) == 1 {
		v := values[0]
		v.glob = v.glob || paths.HasGlob(v.text)
		v.pattern = v.text
		s.vars[name] = v
	}
	return nil
}

// elements checks the commands in the elements and in the index of an array.
func (w *walker) elements(a *syntax.Assign, s *state) error {
	if a.Array != nil {
		if err := w.substitutions(a.Array, s); err != nil {
			return err
		}
	}
	if a.Index != nil {
		return w.substitutions(a.Index, s)
	}
	return nil
}

// declaredTexts returns the literal texts of a declaration's argument.
func declaredTexts(a *syntax.Assign) []string {
	var out []string
	syntax.Walk(a, func(n syntax.Node) bool {
		switch t := n.(type) {
		case *syntax.Lit:
			out = append(out, t.Value)
		case *syntax.SglQuoted:
			out = append(out, t.Value)
		}
		return true
	})
	return out
}

func (w *walker) declaration(d *syntax.DeclClause, s *state) error {
	for _, a := range d.Args {
		if err := w.assign(a, s, false); err != nil {
			return err
		}
		for _, part := range declaredTexts(a) {
			if evaluates(part) {
				return errEvaluated
			}
			if name, setting, ok := strings.Cut(part, "="); ok && a.Naked && isAssignment(part) {
				if err := w.checkSetting(name, literal(setting), s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
