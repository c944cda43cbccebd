package cli

import (
	"os"
	"path/filepath"
)

// homeFault returns what is wrong with the home folder's path; empty if nothing is. A
// relative path would mean a different folder wherever bridge is started.
func homeFault() string {
	home, err := os.UserHomeDir()
	switch {
	case err != nil:
		return "no home folder is known"
	case !filepath.IsAbs(home):
		return "the home folder's path (HOME) is relative, but must be absolute"
	}
	return ""
}

// noHome reports whether neither the variable for a folder nor the home folder can be
// used, so that the folder would be at the root or in the current folder. A relative
// path in the variable is ignored (XDG Base Directory Specification, section 3).
func noHome(variable string) bool {
	return homeFault() != "" && !filepath.IsAbs(os.Getenv(variable))
}
