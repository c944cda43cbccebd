// Package lazyregexp compiles a regular expression when it is first used.
//
// A program that is started for each of an agent's hooks uses few of its patterns, and
// compiling all of them was a tenth of its start.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that gives expr, compiled at the first call. It panics, then,
// where expr is not a regular expression. Any number of goroutines may call it.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
