//go:build !linux

package cli

// forgetInput discards input from before a question was shown.
func (t *terminal) forgetInput() { t.lines.Reset(t.file) }
