//go:build !linux && !darwin

package binding

// startOf returns "", since a client's process cannot be used as a label on
// this platform.
func startOf(int) string { return "" }
