//go:build !linux && !darwin

package cli

// processArguments does not read processes on this system, so a binding is found only
// by the client's own name for its session.
func processArguments(int) ([]string, int) { return nil, 0 }

// processEnvironment does not read processes on this system.
func processEnvironment(int) ([]string, bool) { return nil, false }
