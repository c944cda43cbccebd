// Package local_test checks which hosts count as this machine.
package local_test
