package cli

import (
	"golang.org/x/sys/unix"
)

// forgetInput drops what was typed, or sent, before a question was shown.
func (t *terminal) forgetInput() {
	_ = unix.IoctlSetInt(int(t.file.Fd()), unix.TCFLSH, unix.TCIFLUSH)
	t.lines.Reset(t.file)
}
