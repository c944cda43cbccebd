package systemtool

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrNotFound reports that no system folder has a program of that name, or
// none that can be trusted. The error that wraps it says which and why.
var ErrNotFound = errors.New("not installed in the system's own folders")

// Folders are looked through in this order. They are the only ones.
func Folders() []string {
	return []string{"/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"}
}

// Find returns the absolute path of a program, with all links resolved: what
// was checked is what will be started. The name must be a bare one.
//
// The error is [ErrNotFound]. Where a program is there but cannot be trusted,
// it says what to fix.
func Find(name string) (string, error) {
	return finder{owner: 0, folders: Folders()}.find(name)
}

// finder looks for programs. Its root takes the place of "/" and its owner
// that of root in tests.
type finder struct {
	root    string
	owner   uint32
	folders []string
}

func (f finder) find(name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "", fmt.Errorf("%w: a program is asked for by a bare name", ErrNotFound)
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
