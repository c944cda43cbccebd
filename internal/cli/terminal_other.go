//go:build !linux

package cli

// forgetInput drops what was read before a question was shown.
func (t *terminal) forgetInput() { t.lines.Reset(t.file) }
