// Package local_test holds what counts as this machine.
package local_test
