//go:build !linux

package sandbox

import "context"

// Run returns [ErrPlatform].
func Run(context.Context, List, Options) (Result, error) { return Result{}, ErrPlatform }

// Choose returns [ErrPlatform].
func Choose(context.Context, Options) (Backend, error) { return "", ErrPlatform }

// Probe reports [ErrPlatform] for every backend.
func Probe(context.Context, Options) []BackendStatus {
	return []BackendStatus{{Backend: Bubblewrap, Err: ErrPlatform}, {Backend: Landlock, Err: ErrPlatform}}
}

// Helper reports that the process is not a helper.
func Helper([]string) (code int, ok bool) { return 0, false }
