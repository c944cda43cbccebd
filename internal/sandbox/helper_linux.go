package sandbox

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// Helper runs the sandbox's helper if args ask for it, and reports whether they
// did. args are the program's arguments, beginning with its name. The program
// must call Helper before anything else, and exit with the code if ok is true.
func Helper(args []string) (code int, ok bool) {
	if len(args) < 2 || args[1] != helperName {
		return 0, false
	}
	// The parent death signal is bound to the thread that forked, so the helper
	// must fork from a thread that lives as long as it does.
	runtime.LockOSThread()
	role := ""
	if len(args) == 3 {
		role = args[2]
	}
	switch role {
	case roleSupervise:
		return supervise(), true
	case roleInit:
		return runInit(os.NewFile(controlFD, "specification"), os.NewFile(reportFD, "report")), true
	case roleContainer:
		return runInit(os.Stdin, nil), true
	case roleHold:
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0, true
	}
	fmt.Fprintln(os.Stderr, "this command is for the bridge's internal use only")
	return 2, true
}
