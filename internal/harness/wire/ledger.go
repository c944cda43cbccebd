package wire

import (
	"slices"
	"sync"

	"example.org/bridge/internal/harness/finding"
)

// ledger collects the faults of a server on one connection. Only the first few of each kind
// are kept: a server that logs to standard output does so with each call.
type ledger struct {
	mu    sync.Mutex
	found []finding.Finding
	times map[finding.Kind]int
	taken int
}

const mostOfAKind = 3

func (l *ledger) add(kind finding.Kind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times == nil {
		l.times = map[finding.Kind]int{}
	}
	l.times[kind]++
	if l.times[kind] <= mostOfAKind && len(l.found) < maxFindings {
		l.found = append(l.found, finding.Finding{Kind: kind, Text: text})
	}
}

// take returns the findings added since it was last called.
func (l *ledger) take() []finding.Finding {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := slices.Clone(l.found[l.taken:])
	l.taken = len(l.found)
	return fresh
}

// drop removes the findings of a kind that turned out not to be a fault.
func (l *ledger) drop(kind finding.Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found = slices.DeleteFunc(l.found, func(f finding.Finding) bool { return f.Kind == kind })
	l.times[kind] = 0
	l.taken = min(l.taken, len(l.found))
}
