package systemtool

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrNotFound reports that no system folder contains a program of that name
// that can be trusted. The error that wraps it contains the name and the
// reason.
var ErrNotFound = errors.New("not installed in the system's own folders")

// Folders are the only folders that are searched, in this order.
func Folders() []string {
	return []string{"/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"}
}

// Find returns the absolute path of a program, with all links resolved, so that
// the program that was checked is the one that is started. The name must not
// contain a slash.
//
// The error is [ErrNotFound]. If a program exists but cannot be trusted, the
// error says what to fix.
func Find(name string) (string, error) {
	return finder{owner: 0, folders: Folders()}.find(name)
}

// finder searches for programs. In tests, root replaces "/" and owner replaces
// the user root.
type finder struct {
	root    string
	owner   uint32
	folders []string
}

func (f finder) find(name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "", fmt.Errorf("%w: a program must be named without a folder", ErrNotFound)
	}
	var refused error
	for _, folder := range f.folders {
		path, err := f.resolve(folder + "/" + name)
		switch {
		case err == nil:
			return path, nil
		case errors.Is(err, os.ErrNotExist):
		case refused == nil:
			refused = err
		}
	}
	if refused != nil {
		return "", fmt.Errorf("%w: %s cannot be trusted: %w", ErrNotFound, name, refused)
	}
	return "", fmt.Errorf("%w: %s", ErrNotFound, name)
}
