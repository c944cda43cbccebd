//go:build !plantfault

package cli

import "example.org/bridge/internal/bridge"

// plant returns the store as it is. Programs built with the tag plantfault have
// another plant, with faults that `bridge stress` has to find.
func plant(store bridge.Store, _ string) bridge.Store { return store }
