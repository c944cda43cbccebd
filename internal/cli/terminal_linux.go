package cli

import (
	"golang.org/x/sys/unix"
)

// forgetInput discards input from before a question was shown.
func (t *terminal) forgetInput() {
	_ = unix.IoctlSetInt(int(t.file.Fd()), unix.TCFLSH, unix.TCIFLUSH)
	t.lines.Reset(t.file)
}
