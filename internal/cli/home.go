package cli

import (
	"os"
	"path/filepath"
)

// homeFault says what is wrong with the home folder's name; empty where it can be used.
// A relative one would be another folder in each folder that bridge is started in.
func homeFault() string {
	home, err := os.UserHomeDir()
	switch {
	case err != nil:
		return "no home folder is known"
	case !filepath.IsAbs(home):
		return "the home folder's name (HOME) is relative, and must be absolute"
	}
	return ""
}

// noHome reports that neither the variable for a folder nor the home folder can be used,
// so that the folder would be one at the root, or in the current folder. A relative one
// in the variable is ignored (XDG Base Directory Specification, section 3).
func noHome(variable string) bool {
	return homeFault() != "" && !filepath.IsAbs(os.Getenv(variable))
}
