//go:build !plantfault

package cli

// plant returns the store as it is. Programs built with the tag plantfault have
// another plant, with faults that `bridge stress` has to find.
func plant(store plantable, _ string) plantable { return store }
