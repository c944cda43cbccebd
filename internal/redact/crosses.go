package redact

// Crosses reports whether, because of tail, RedactAfter could hide more of text
// than Redact does. It is much cheaper than RedactAfter: of a long text it reads
// only the beginning.
func (e *Engine) Crosses(tail, text string) bool {
	if tail == "" || text == "" {
		return false
	}
	tail = tail[max(0, len(tail)-maxTail):]
	return len(e.continued(tail, text)) > 0 || len(e.across(tail, text)) > 0 || len(e.across(tail+"\n", text)) > 0
}
