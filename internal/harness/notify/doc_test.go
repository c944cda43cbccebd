// Package notify_test sends mail and posts to servers of its own on this machine.
package notify_test
