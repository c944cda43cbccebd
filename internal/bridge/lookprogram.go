package bridge

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"example.org/bridge/internal/sandbox"
)

// lookProgram returns the absolute path of a program in the folders of the
// sandbox's own PATH. The environment's PATH does not count: an agent may have
// changed it. A program that others than its owner may replace is not taken.
func lookProgram(name, workspace string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\\\x00") {
		return "", errors.New("a program is named without a path")
	}
	for _, dir := range strings.Split(sandbox.DefaultPath, ":") {
		path := filepath.Join(dir, name)
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		if inFolder(workspace, path) || inFolder(workspace, real) || !trustedProgram(real) {
			continue
		}
		return path, nil
	}
	return "", fs.ErrNotExist
}

const (
	anyExecute  fs.FileMode = 0o111
	othersWrite fs.FileMode = 0o022
)

// trustedProgram reports whether path is a program in a folder that only its
// owner can change.
func trustedProgram(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&anyExecute == 0 || info.Mode()&othersWrite != 0 {
		return false
	}
	folder, err := os.Lstat(filepath.Dir(path))
	return err == nil && folder.IsDir() && folder.Mode()&othersWrite == 0
}

// onceWorks keeps the first answer that is no error.
type onceWorks[T any] struct {
	mu    sync.Mutex
	found bool
	value T
}

func (o *onceWorks[T]) get(find func() (T, error)) (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.found {
		return o.value, nil
	}
	value, err := find()
	if err == nil {
		o.value, o.found = value, true
	}
	return value, err
}
