// Package remote_test uses a connection to a real gateway, over a way that is cut.
package remote_test
