package lazyregexp_test

import (
	"sync"
	"testing"

	"example.org/bridge/internal/lazyregexp"
)

func TestNew(t *testing.T) {
	word := lazyregexp.New(`^[a-z]+$`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !word().MatchString("abc") || word().MatchString("a b") {
				t.Error("the expression does not match as it is written")
			}
		})
	}
	all.Wait()
	first := word()
	if word() != first {
		t.Error("it was compiled twice")
	}
}

func TestNewCompilesAtFirstUse(t *testing.T) {
	bad := lazyregexp.New(`(`)
	defer func() {
		if recover() == nil {
			t.Error("what is not a regular expression was compiled")
		}
	}()
	bad()
}
