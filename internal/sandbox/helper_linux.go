package sandbox

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// Helper runs the hidden helper and reports ok, if args (the program's, with
// its name first) ask for it. The program must call it before it does anything
// else, and exit with the code.
func Helper(args []string) (code int, ok bool) {
	if len(args) < 2 || args[1] != helperName {
		return 0, false
	}
	// A parent's death signal belongs to the thread that forked, so that the
	// helper must fork from one that lives as long as it does.
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
	fmt.Fprintln(os.Stderr, "this command is the bridge's own, not for people")
	return 2, true
}
