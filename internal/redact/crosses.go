package redact

// Crosses reports whether RedactAfter could hide more of text than Redact does,
// because of what tail says. It costs much less: of a long text only the
// beginning is read.
func (e *Engine) Crosses(tail, text string) bool {
	if tail == "" || text == "" {
		return false
	}
	tail = tail[max(0, len(tail)-maxTail):]
	return len(e.continued(tail, text)) > 0 || len(e.across(tail, text)) > 0 || len(e.across(tail+"\n", text)) > 0
}
