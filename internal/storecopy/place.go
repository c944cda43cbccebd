package storecopy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

const (
	// unfinished is the prefix of the folder in which a copy is made. A folder left by
	// a killed process is removed by the next copy made at least this much later.
	unfinished = ".bridge-copy-"
	abandoned  = 24 * time.Hour
)

// Files holds the functions that create and check stores in files.
type Files struct {
	// LeftOver refuses the log of a store whose database file is missing.
	LeftOver func(path string) error
	// Fill creates a store at path and fills it, like the function type Fill.
	Fill func(ctx context.Context, path string, key auth.Key, fn func(rows, exec) error) error
	// Examine reads a whole store and refuses one that is damaged.
	Examine func(ctx context.Context, path string, key auth.Key) (storefile.Contents, error)
}

// ToFile copies to a new store at path, with its key beside it. The folder must exist
// and must not contain any file of a store at path. The copy gets its name when it is
// complete, so that a killed process leaves no store.
func (c Copy) ToFile(ctx context.Context, files Files, path string) (r Report, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return r, c.Occupied("name a file other than " + path)
	}
	if err := errors.Join(files.LeftOver(path), CheckKey(keyfile.Beside(path), c.Key)); err != nil {
		return r, err
	}
	target := file()
	return c.whole(ctx, target, func(read snapshot) (Report, error) { return c.toFile(ctx, read, target, files, path) })
}

func (c Copy) toFile(ctx context.Context, read snapshot, target *dialect, files Files, path string) (r Report, err error) {
	folder := filepath.Dir(path)
	sweep(folder, time.Now())
	work, err := os.MkdirTemp(folder, unfinished) // mode 0700
	if err != nil {
		return r, storefile.Unwritable(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	made := filepath.Join(work, filepath.Base(path))
	if r, err = c.fillFile(ctx, read, target, files, made); err != nil {
		return r, err
	}
	if _, err := files.Examine(ctx, made, c.Key); err != nil {
		return r, fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	return r, storefile.Unwritable(place(made, path, c.Key))
}

func (c Copy) fillFile(ctx context.Context, read snapshot, target *dialect, files Files, path string) (Report, error) {
	return c.into(ctx, read, target, func(ctx context.Context, fn func(rows, exec) error) error {
		return files.Fill(ctx, path, c.Key, fn)
	})
}

// ToBareFile copies to a new file at path without the key. It is for backups, which are
// checked where they are made. The source stays in use.
func (c Copy) ToBareFile(ctx context.Context, files Files, path string) (Report, error) {
	target := file()
	c.Move = false
	return c.whole(ctx, target, func(read snapshot) (Report, error) { return c.fillFile(ctx, read, target, files, path) })
}

// place gives a complete store its name. Its key is placed first.
func place(made, path string, key auth.Key) error {
	if err := PlaceKey(keyfile.Beside(path), key); err != nil {
		return err
	}
	if err := privatefile.Move(made, path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: name a file other than %s", ErrOccupied, path)
	} else if err != nil {
		return err
	}
	return privatefile.SyncFolder(filepath.Dir(path))
}

// CheckKey refuses, with bridge.ErrStoreKey, a key file that holds a different key.
func CheckKey(file string, key auth.Key) error {
	there, err := keyfile.Load(file)
	switch {
	case errors.Is(err, keyfile.ErrNoKey):
		return nil
	case err != nil:
		return err
	case !auth.SameKey(there, key):
		return fmt.Errorf("%w: %s is the key of another store, but the copy needs the key of its source", bridge.ErrStoreKey, file)
	}
	return nil
}

// PlaceKey stores the key where the target looks for it, unless it is already there.
func PlaceKey(file string, key auth.Key) error {
	if err := CheckKey(file, key); err != nil {
		return err
	}
	if _, err := keyfile.Load(file); err == nil {
		return nil // works even in a read-only folder, such as a mounted secret
	}
	err := keyfile.Save(key, file)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// sweep removes what killed processes have left in a folder. Whatever cannot be removed
// stays.
func sweep(folder string, now time.Time) {
	left, _ := fs.Glob(os.DirFS(folder), unfinished+"*")
	for _, name := range left {
		path := filepath.Join(folder, name)
		if info, err := os.Lstat(path); err == nil && now.Sub(info.ModTime()) > abandoned {
			_ = os.RemoveAll(path)
		}
	}
}
