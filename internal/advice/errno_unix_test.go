//go:build unix

package advice_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite/storefile"
)

// TestErrorsOfTheSystem checks that each system error about the store's files has its
// own code, and a text and a remedy for agents and for operators.
func TestErrorsOfTheSystem(t *testing.T) {
	tests := []struct {
		errno           syscall.Errno
		name            error
		code            string
		agent, operator string // parts of the remedies
	}{
		{syscall.EIO, bridge.ErrStoreIO, "store_io", "check the disk", "dmesg"},
		{syscall.EMFILE, bridge.ErrTooManyFiles, "too_many_files", "ulimit -n", "ulimit -n"},
		{syscall.ENFILE, bridge.ErrTooManyFiles, "too_many_files", "ulimit -n", "ulimit -n"},
		{syscall.ENOMEM, bridge.ErrNoMemory, "no_memory", "memory ran out", "end other programs"},
		{syscall.ENOLCK, bridge.ErrNoLocks, "no_locks", "file locks", "local disk"},
		{syscall.EROFS, bridge.ErrStoreReadOnly, "store_read_only", "bridge doctor", "writable"},
		{syscall.EACCES, bridge.ErrStoreReadOnly, "store_read_only", "bridge doctor", "writable"},
		{syscall.EPERM, bridge.ErrStoreReadOnly, "store_read_only", "bridge doctor", "writable"},
		{syscall.ENOSPC, bridge.ErrStoreFull, "store_full", "free disk space", "free disk space"},
		{syscall.EDQUOT, bridge.ErrStoreFull, "store_full", "free disk space", "free disk space"},
		{syscall.EFBIG, bridge.ErrStoreFull, "store_full", "free disk space", "free disk space"},
	}
	for _, tt := range tests {
		t.Run(tt.errno.Error(), func(t *testing.T) {
			err := storefile.Unwritable(&fs.PathError{Op: "open", Path: "bridge.db-queue", Err: tt.errno})
			if !errors.Is(err, tt.name) || !errors.Is(err, tt.errno) {
				t.Fatalf("got %v, want %v of %v", err, tt.name, tt.errno)
			}
			row, ok := advice.Of(err)
			if !ok || row.Code != tt.code {
				t.Fatalf("got %q, want %q", row.Code, tt.code)
			}
			if !strings.Contains(row.Agent, tt.agent) || !strings.Contains(row.Operator, tt.operator) {
				t.Errorf("an agent is told %q, an operator %q; want %q and %q", row.Agent, row.Operator, tt.agent, tt.operator)
			}
			if !strings.HasPrefix(row.Agent, "nothing was stored; ") {
				t.Errorf("an agent is not told that nothing was stored: %q", row.Agent)
			}
		})
	}
}
