//go:build !linux && !darwin && !windows

package cli

import "context"

// awaitEnd waits until a process has ended; it returns false if ctx ends first.
func awaitEnd(ctx context.Context, pid int) bool { return pollEnd(ctx, pid) }
