// Package lazyregexp compiles regular expressions when they are first used.
//
// A program that is started for each hook of an agent uses few of its patterns;
// compiling all of them took a tenth of its start-up time.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the compiled expr. It compiles expr on the first
// call, and panics then if expr is invalid. It is safe for concurrent use.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
