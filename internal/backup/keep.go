package backup

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/auth"
)

// Kept is a backup in a folder of backups.
type Kept struct {
	Folder   string
	Manifest Manifest
}

// List returns the backups in dir of the store with key, oldest first. Other files, and
// backups that do not belong to the key, are not listed.
func List(dir string, key auth.Key) (all []Kept, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		folder := filepath.Join(dir, e.Name())
		if m, err := ReadManifest(folder, key); err == nil {
			all = append(all, Kept{folder, m})
		}
	}
	slices.SortFunc(all, func(a, b Kept) int {
		return cmp.Or(a.Manifest.Made.Compare(b.Manifest.Made), cmp.Compare(a.Folder, b.Folder))
	})
	return all, nil
}

// Newest returns folder if it is a backup, and otherwise the newest backup in it of the
// store with key. If there is none it returns folder as well.
func Newest(folder string, key auth.Key) string {
	if exists(filepath.Join(folder, manifestName)) {
		return folder
	}
	all, err := List(folder, key)
	if err != nil || len(all) == 0 {
		return folder
	}
	return all[len(all)-1].Folder
}

// Prune removes the backups in dir of the same store as newest that were made more than
// age before it, and returns their folders. The newest backup always stays.
func Prune(dir string, key auth.Key, newest Manifest, age time.Duration) (removed []string, err error) {
	all, err := List(dir, key)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if b.Manifest.Store != newest.Store || newest.Made.Sub(b.Manifest.Made) <= age {
			continue
		}
		// Remove the manifest first, so that a partly removed backup does not look like
		// a backup.
		err := errors.Join(os.Remove(filepath.Join(b.Folder, manifestName)), os.RemoveAll(b.Folder))
		if err != nil {
			return removed, err
		}
		removed = append(removed, b.Folder)
	}
	return removed, nil
}

// sweep removes what killed processes have left in dir. Whatever cannot be removed
// stays.
func sweep(dir string, now time.Time) {
	left, _ := fs.Glob(os.DirFS(dir), unfinished+"*")
	for _, name := range left {
		folder := filepath.Join(dir, name)
		if info, err := os.Lstat(folder); err == nil && now.Sub(info.ModTime()) > abandoned {
			_ = os.RemoveAll(folder)
		}
	}
}
