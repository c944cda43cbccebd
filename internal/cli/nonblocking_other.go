//go:build !unix

package cli

const nonBlocking = 0
