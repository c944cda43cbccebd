// Package programtest writes programs that a test then starts.
package programtest

import (
	"os"
	"syscall"
	"testing"
)

// Write writes a program and makes it executable. A process that another
// test starts at the same time inherits the file while it is open for writing, until it
// has replaced itself with its own program, and execve(2) fails with ETXTBSY as long as
// anybody has the file open for writing (go.dev/issue/22315). So no process is started
// before the file is closed.
func Write(t testing.TB, path string, content []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, content, 0o755) //nolint:gosec // other users may start it, too
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}
