//go:build !linux && !darwin && !windows

package cli

import "context"

// awaitEnd waits for the end of a process; false if ctx ended first.
func awaitEnd(ctx context.Context, pid int) bool { return pollEnd(ctx, pid) }
