// Package remote_test uses a connection to a real gateway over a network path that can be
// cut.
package remote_test
