//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"example.org/bridge/internal/bridge"
)

// explained are the errors that may result from a failed system call.
var explained = []error{
	bridge.ErrOutcomeUnknown, bridge.ErrStoreFull, bridge.ErrStoreReadOnly, bridge.ErrStoreBusy, bridge.ErrStoreIO,
	bridge.ErrTooManyFiles, bridge.ErrNoMemory, bridge.ErrNoLocks, bridge.ErrStoreDamaged, bridge.ErrStoreGone,
}

// Exit codes of faultyChild.
const (
	exitUnexplained = 3
	exitExplained   = 4
)

// faultyChild opens a store, creating it if necessary, and sends messages until
// something fails. It prints what was acknowledged and what failed. Then it exits
// without closing anything, as in a power cut.
func faultyChild(args []string) error {
	s, _, err := openChild(args[0], nil)
	if err == nil && len(args) > 1 {
		for i := range 3 {
			if _, err = s.Send(context.Background(), credentials(args[1:]), bridge.SendRequest{Text: fmt.Sprint(i)}); err != nil {
				break
			}
			fmt.Println("stored", i)
		}
	}
	if err == nil {
		os.Exit(0) // without closing the store
	}
	fmt.Println("failed:", err)
	if errors.Is(err, bridge.ErrOutcomeUnknown) {
		fmt.Println("unknown")
	}
	if slices.ContainsFunc(explained, func(e error) bool { return errors.Is(err, e) }) {
		os.Exit(exitExplained)
	}
	os.Exit(exitUnexplained)
	return nil
}
