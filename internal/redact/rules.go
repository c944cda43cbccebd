package redact

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Rule is a rule that an operator adds. A match of the regular expression Pattern
// is replaced by the upper-cased Name with the suffix _REDACTED; if the pattern
// has a group, only the match of the first group is replaced. Example must be
// hidden. CounterExample, if set, must not be hidden.
type Rule struct {
	Name           string
	Pattern        string
	Example        string
	CounterExample string
}

// Options are the operator's additions to the built-in rules: rules, and
// exceptions, which are literal values that are never hidden.
type Options struct {
	Rules      []Rule
	Exceptions []string
}

type compiledRule struct {
	kind    string
	pattern *regexp.Regexp
	group   int
}

// New returns an engine with an operator's rules and exceptions. The error names
// every rule without a usable name or pattern, whose example is not hidden, or
// whose counter-example is.
func New(o Options) (*Engine, error) {
	e := &Engine{}
	var problems []error
	for _, x := range o.Exceptions {
		if x = strings.TrimSpace(x); x != "" {
			e.exceptions = append(e.exceptions, x)
		}
	}
	for i, r := range o.Rules {
		c, err := compile(r)
		if err != nil {
			problems = append(problems, fmt.Errorf("redaction rule %d (%s): %w", i+1, shorten(r.Name), err))
			continue
		}
		e.rules = append(e.rules, c)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return e, nil
}

// compile checks one rule by itself: its pattern must hide its example and not
// its counter-example.
func compile(r Rule) (compiledRule, error) {
	kind, err := kindOf(r.Name)
	if err != nil {
		return compiledRule{}, err
	}
	re, err := regexp.Compile(r.Pattern)
	if err != nil {
		return compiledRule{}, fmt.Errorf("the pattern is not a regular expression (RE2 syntax): %w", err)
	}
	c := compiledRule{kind: kind, pattern: re, group: min(re.NumSubexp(), 1)}
	switch {
	case r.Pattern == "" || re.MatchString(""):
		return c, errors.New("the pattern matches the empty text; make it longer")
	case r.Example == "":
		return c, errors.New("give an example that the pattern must hide")
	case len(c.spans(nil, r.Example)) == 0:
		return c, errors.New("the pattern does not hide the example; correct one of them")
	case r.CounterExample != "" && len(c.spans(nil, r.CounterExample)) > 0:
		return c, errors.New("the pattern hides the counter-example; make it narrower")
	case re.MatchString(kind + placeholderSuffix):
		return c, errors.New("the pattern matches its own placeholder; make it narrower")
	}
	return c, nil
}

// kindOf makes a kind of a rule's name: letters, digits and underscores.
func kindOf(name string) (string, error) {
	kind := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(name), "-", "_"))
	kind = strings.TrimSuffix(kind, placeholderSuffix)
	if kind == "" || len(kind) > 40 {
		return "", errors.New("give it a name of 1 to 40 letters, digits or underscores")
	}
	for i := range len(kind) {
		if !isIdent(kind[i]) {
			return "", errors.New("its name may contain only letters, digits and underscores")
		}
	}
	return kind, nil
}

func (c compiledRule) spans(out []span, text string) []span {
	for _, m := range c.pattern.FindAllStringSubmatchIndex(text, -1) {
		start, end := m[2*c.group], m[2*c.group+1]
		if start < 0 {
			start, end = m[0], m[1]
		}
		if start < end {
			out = append(out, span{start, end, c.kind, rankOperator})
		}
	}
	return out
}

// drop removes the spans whose text is an exception.
func (e *Engine) drop(spans []span, text string) []span {
	if len(e.exceptions) == 0 {
		return spans
	}
	out := spans[:0]
	for _, s := range spans {
		if !e.excepted(text[s.start:s.end]) {
			out = append(out, s)
		}
	}
	return out
}

func (e *Engine) excepted(value string) bool {
	value = strings.Trim(value, "\"'` \t\r\n")
	for _, x := range e.exceptions {
		if value == x {
			return true
		}
	}
	return false
}

// shorten shortens a name for an error message.
func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
