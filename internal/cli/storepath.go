package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"example.org/bridge/internal/lazyregexp"
	"example.org/bridge/internal/sqlite/storefile"
)

// annotationUnattended marks commands that other programs start, in arbitrary folders.
const annotationUnattended = "unattended"

// storePath returns the absolute path of the store. All commands read names from all
// sources in the same way, and a name that two clients would read differently is
// refused, because they would use different stores.
func (a *app) storePath() (string, error) {
	if a.onServer() {
		return placeOf(a.db)
	}
	path := a.db
	if path == "" {
		join, ok, err := a.connected()
		if err != nil {
			return "", err
		}
		if ok {
			return placeBehind(join), nil
		}
		if path, err = defaultStore(); err != nil {
			return "", err
		}
	}
	if err := a.checkName("the path of the store", path); err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) {
		if err := a.checkRelative(); err != nil {
			return "", err
		}
		var err error
		if path, err = filepath.Abs(path); err != nil {
			return "", err
		}
	}
	path, err := followFile(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	return checkLength(path)
}

func defaultStore() (string, error) {
	if noHome("XDG_STATE_HOME") {
		return "", usagef("%s: set HOME, or name the store with --db or BRIDGE_DB", homeFault())
	}
	return filepath.Join(xdg.StateHome, "bridge", "bridge.db"), nil
}

// unexpanded matches a variable that a shell would have replaced.
var unexpanded = lazyregexp.New(`\$\{?[A-Za-z_]|%[A-Za-z_]+%`)

// checkName refuses names that only a shell understands and names that are URLs. Some
// clients expand shell syntax and some do not.
func (a *app) checkName(what, path string) error {
	switch {
	case strings.HasPrefix(path, "~"):
		return usagef("%s begins with ~, which only shells understand: write the full path", what)
	case unexpanded().MatchString(path):
		return usagef("%s contains a variable that was not expanded: write the full path", what)
	case strings.HasPrefix(path, "file:"), strings.Contains(path, "://"):
		return usagef("%s is a URL: name a file", what)
	case strings.ContainsAny(path, "\x00\n\r"):
		return usagef("%s contains a line break: name a file on one line", what)
	}
	return nil
}

// checkRelative refuses a relative path if its base folder depends on who started the
// process.
func (a *app) checkRelative() error {
	for f, o := range a.origins {
		if f.Name == "db" && o.Source == sourceEnvironment {
			return usagef("BRIDGE_DB must be an absolute path: each client starts bridge in another folder, which would be another store")
		}
	}
	if a.unattended {
		return usagef("--db must be an absolute path here: each client starts bridge in another folder, which would be another store")
	}
	return nil
}

// followFile resolves a link in the place of the store's file. SQLite puts its log next
// to the real file, so everything else belongs there too. The folders above the link
// are checked here, because the resolved name does not contain them.
func followFile(path string) (string, error) {
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		return path, nil //nolint:nilerr // whoever opens the store says what is wrong with it
	}
	if err := storefile.CheckLink(path); err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	return path, nil
}

func checkLength(path string) (string, error) {
	if len(path) > storefile.MaxPath {
		return "", usagef("the path of the store is %d bytes long, and SQLite takes %d: choose a shorter one with --db", len(path), storefile.MaxPath)
	}
	return path, nil
}
