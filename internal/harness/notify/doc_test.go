// Package notify_test sends mail and webhook posts to local test servers.
package notify_test
