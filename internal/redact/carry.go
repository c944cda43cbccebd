package redact

// RedactAfter redacts text as Redact does, knowing that it follows tail: the
// end of what the same sender said before, already stored. A secret that
// begins in tail and goes on in text is recognised by the two together; only
// text is returned, since tail can no longer be changed.
func (e *Engine) RedactAfter(tail, text string) (string, []string) {
	if tail == "" || text == "" {
		return e.Redact(text)
	}
	tail = lastBytes(tail, maxTail)
	var kinds []string
	for _, joint := range [...]string{"", "\n"} {
		var spans []span
		offset := len(tail) + len(joint)
		for _, s := range e.find(tail+joint+text, 0) {
			if s.end > offset {
				spans = append(spans, span{max(0, s.start-offset), s.end - offset, s.kind, s.rank})
			}
		}
		if len(spans) > 0 {
			kinds = addKinds(kinds, spans)
			text = replace(text, merge(settle(spans, e.marks(text))))
		}
	}
	out, more := e.Redact(text)
	for _, k := range more {
		kinds = addKinds(kinds, []span{{kind: k}})
	}
	return out, kinds
}

// maxTail bounds how much earlier text is read again.
const maxTail = 4096

func lastBytes(s string, n int) string {
	if len(s) > n {
		return s[len(s)-n:]
	}
	return s
}
