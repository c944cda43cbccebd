// Package redact is a stand-in until the engine is merged.
package redact

import (
	"fmt"
	"regexp"
	"strings"
)

type Rule struct{ Name, Pattern, Example, CounterExample string }

type Options struct {
	Rules      []Rule
	Exceptions []string
}

type Engine struct{ rules map[string]*regexp.Regexp }

func New(o Options) (*Engine, error) {
	e := &Engine{rules: map[string]*regexp.Regexp{}}
	for i, r := range o.Rules {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("redaction rule %d (%s): %w", i+1, r.Name, err)
		}
		e.rules[strings.ToUpper(r.Name)] = re
	}
	return e, nil
}

var github = regexp.MustCompile(`ghp_[A-Za-z0-9]{36}`)

func (e *Engine) Redact(text string) (string, []string) {
	var kinds []string
	if github.MatchString(text) {
		text, kinds = github.ReplaceAllString(text, "GITHUB_TOKEN_REDACTED"), append(kinds, "GITHUB_TOKEN")
	}
	for kind, re := range e.rules {
		if re.MatchString(text) {
			text, kinds = re.ReplaceAllString(text, kind+"_REDACTED"), append(kinds, kind)
		}
	}
	return text, kinds
}
