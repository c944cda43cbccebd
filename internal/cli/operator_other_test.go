//go:build !linux

package cli_test

import "errors"

// operatorMain needs Linux pseudo-terminals.
func operatorMain() int { return fatal(errors.New("the program operator runs on Linux only")) }
