package redact

// Spans returns where the first round finds secrets, for tests that count lines.
func (e *Engine) Spans(text string) [][2]int {
	var out [][2]int
	for _, s := range e.find(text, 0) {
		out = append(out, [2]int{s.start, s.end})
	}
	return out
}
