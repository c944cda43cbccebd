package redact

import "strings"

const (
	maxTail = 4096 // bytes of earlier text that are read again
	maxHead = 8192 // bytes of the new text that are read together with it
)

// RedactAfter redacts text as Redact does, taking into account that it follows
// tail: the end of what the same sender said before, which is already stored. A
// secret that begins in tail and continues in text is recognised if the two are
// joined directly or by a line break. Only text is returned, since tail can no
// longer be changed. At most the last 4096 bytes of tail are used.
func (e *Engine) RedactAfter(tail, text string) (string, []string) {
	if tail == "" || text == "" {
		return e.Redact(text)
	}
	if len(tail) > maxTail {
		tail = tail[len(tail)-maxTail:]
	}
	spans := e.continued(tail, text)
	for _, joint := range [...]string{"", "\n"} {
		spans = append(spans, e.across(tail+joint, text)...)
	}
	var kinds []string
	if len(spans) > 0 {
		spans = merge(settle(merge(spans), e.marks(text)))
		kinds = addKinds(nil, spans)
		text = replace(text, spans)
	}
	out, more := e.Redact(text)
	for _, k := range more {
		kinds = addKinds(kinds, []span{{kind: k}})
	}
	return out, kinds
}

// across returns the parts of text that are secret when it is read directly after
// tail.
func (e *Engine) across(tail, text string) []span {
	head := text[:min(len(text), maxHead)]
	found := e.find(tail+head, 0)
	if n := len(found); n > 0 && len(head) < len(text) && found[n-1].end == len(tail)+len(head) {
		found = e.find(tail+text, 0)
	}
	var out []span
	for _, s := range found {
		if s.end > len(tail) {
			s.start, s.end = max(0, s.start-len(tail)), s.end-len(tail)
			out = append(out, s)
		}
	}
	return out
}

// continued returns the beginning of text if it continues a secret whose
// placeholder is at the end of tail: more lines of a private key, or more of a
// token.
func (e *Engine) continued(tail, text string) []span {
	trimmed := strings.TrimRight(tail, " \t\r\n>+\"'\\")
	if !strings.HasSuffix(trimmed, placeholderSuffix) {
		return nil
	}
	n := e.kindBefore(strings.TrimSuffix(trimmed, placeholderSuffix))
	if n == 0 {
		return nil
	}
	f := e.newFinder(text)
	start := skipBlank(text, 0)
	end := f.runEnd(alnumSlash, start)
	kind := trimmed[len(trimmed)-len(placeholderSuffix)-n : len(trimmed)-len(placeholderSuffix)]
	if kind == kindPrivateKey && end-start >= minPEMRun {
		return []span{{start, f.pemEnd(start), kind, rankPEM}}
	}
	if len(trimmed) < len(tail) {
		return nil
	}
	if end = f.runEnd(tokenBody, 0); end >= 6 && containsDigit(text[:end]) && !wordy(text[:end]) {
		return []span{{0, end, kind, rankFormat}}
	}
	return nil
}
