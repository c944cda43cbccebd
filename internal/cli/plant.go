//go:build !plantfault

package cli

// plant returns the store unchanged. Programs built with the tag plantfault have
// another version of it, with faults that `bridge stress` must find.
func plant(store plantable, _ string) plantable { return store }
