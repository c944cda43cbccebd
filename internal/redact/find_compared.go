package redact

import "strings"

// comparisons are the operators that may be between a value and the name after
// it.
var comparisons = [...]string{"==", "!=", ".equals(", ".compareTo(", ".equalsIgnoreCase("}

// valueBefore reads a value that is compared to the name after it: "hunter2" ==
// password, "hunter2".equals(password).
func (f *finder) valueBefore(n name) (value, bool) {
	head := f.text[max(0, n.start-maxJudged):n.start]
	for head != "" && head[len(head)-1] == ' ' {
		head = head[:len(head)-1]
	}
	if head == "" || head[len(head)-1] != '=' && head[len(head)-1] != '(' {
		return value{}, false
	}
	for _, sign := range comparisons {
		if !strings.HasSuffix(head, sign) {
			continue
		}
		head = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(head, sign), "="), " ")
		if head == "" || !isQuote(head[len(head)-1]) {
			return value{}, false
		}
		end := len(head) - 1
		start := strings.LastIndexByte(head[:end], head[end]) + 1
		if start == 0 || strings.IndexByte(head[start:end], '\n') >= 0 {
			return value{}, false
		}
		base := max(0, n.start-maxJudged)
		return value{start: base + start, end: base + end, op: opCompare, quote: head[end]}, start < end
	}
	return value{}, false
}

// comparedBy reports whether the name at i is the first argument of a function
// that compares it with the second.
func (f *finder) comparedBy(i int) bool {
	head := f.text[max(0, i-20):i]
	for _, call := range [...]string{"strcmp(", "strncmp(", "strcasecmp(", "compare(", "compare_digest(", "Equal(", "equals("} {
		if strings.HasSuffix(head, call) {
			return true
		}
	}
	return false
}
