//go:build !linux && !darwin

package cli

// processArguments knows no process here: only the client's own name for its
// session finds a binding.
func processArguments(int) ([]string, int) { return nil, 0 }

// processEnvironment knows no process here.
func processEnvironment(int) ([]string, bool) { return nil, false }
