package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// ErrSealed reports a sealed backup that the identities given do not open.
var ErrSealed = errors.New("the backup is sealed")

// Opened is a backup whose copy is unpacked and checked.
type Opened struct {
	Manifest Manifest
	Contents sqlite.Contents
	work     string // the folder of the unpacked copy
}

// Open unpacks the backup in folder beside the store at path, whose folder must be
// there, and checks all of it: manifest, digest, pages, references, key and audit log.
// Call Close when it is not needed any more.
func Open(ctx context.Context, folder, path string, key auth.Key, identities []age.Identity) (*Opened, error) {
	m, err := ReadManifest(folder, key)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	sweep(dir, time.Now())
	work, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return nil, storefile.Unwritable(err)
	}
	o := &Opened{Manifest: m, work: work}
	if err := o.unpack(ctx, folder, key, identities); err != nil {
		return nil, errors.Join(fmt.Errorf("the backup in %s: %w", folder, err), o.Close())
	}
	return o, nil
}

// unpack fills the folder of the unpacked copy, and checks what is in it.
func (o *Opened) unpack(ctx context.Context, folder string, key auth.Key, identities []age.Identity) error {
	if err := extract(folder, o.copy(), o.Manifest, identities); err != nil {
		return storefile.Unwritable(err)
	}
	size, sum, err := digest(o.copy())
	if err != nil {
		return err
	}
	if size != o.Manifest.Bytes || sum != o.Manifest.SHA256 {
		return fmt.Errorf("%w: the copy is not the one that its manifest describes: use another backup", bridge.ErrStoreDamaged)
	}
	o.Contents, err = sqlite.Examine(ctx, o.copy(), key)
	return err
}

func (o *Opened) copy() string { return filepath.Join(o.work, databaseName) }

// Close removes what was unpacked.
func (o *Opened) Close() error { return os.RemoveAll(o.work) }

// extract puts the copy, opened if it is sealed, into a new file.
func extract(folder, to string, m Manifest, identities []age.Identity) error {
	name := databaseName
	if m.Sealed {
		name = sealedName
		if len(identities) == 0 {
			return fmt.Errorf("%w: give the age identity file that opens it with --identity", ErrSealed)
		}
	}
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return fmt.Errorf("%w: it has no %s", ErrNoBackup, name)
	}
	defer func() { _ = f.Close() }()
	return copyInto(to, func(w io.Writer) error {
		var source io.Reader = f
		if m.Sealed {
			if source, err = age.Decrypt(f, identities...); err != nil {
				return fmt.Errorf("%w, and not to this identity: give the file that belongs to its recipient", ErrSealed)
			}
		}
		// One byte more than it should have shows that it has too many.
		_, err := io.Copy(w, io.LimitReader(source, m.Bytes+1))
		return err
	})
}

// Place makes the copy the store at path, with the key from keyFile. What is there is
// moved, whole and with its key, into a folder beside it whose path is returned; ""
// where nothing was. The error is bridge.ErrStoreBusy while a process has the old store
// open; after any error the old store is where it was.
func (o *Opened) Place(path, keyFile string, now time.Time) (aside string, err error) {
	if _, err := os.Lstat(path); err == nil {
		if storefile.Running(path) {
			return "", fmt.Errorf("%w: stop all bridge processes that use %s first", bridge.ErrStoreBusy, path)
		}
		if aside, err = moveAside(path, now); err != nil {
			return "", errors.Join(storefile.Unwritable(err), putBack(aside, path))
		}
	}
	err = placeKey(path, keyFile)
	if err == nil {
		err = os.Rename(o.copy(), path)
	}
	if err != nil {
		return "", errors.Join(storefile.Unwritable(err), putBack(aside, path))
	}
	return aside, storefile.Unwritable(privatefile.SyncFolder(filepath.Dir(path)))
}

// endings are those of a store's files. The log goes before the database: a process
// that starts in between finds a whole older state, and one that started just before
// is told that its store is gone.
var endings = []string{"-shm", "-wal", ""}

// moveAside gives the store at path a folder of its own, with a copy of its key.
func moveAside(path string, now time.Time) (aside string, err error) {
	aside = path + ".replaced-" + now.UTC().Format(nameLayout)
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", err
	}
	err = auth.CopyKey(auth.KeyBeside(path), auth.KeyBeside(filepath.Join(aside, databaseName)))
	if err != nil && !errors.Is(err, auth.ErrNoKey) {
		return aside, err
	}
	for _, ending := range endings {
		err := os.Rename(path+ending, filepath.Join(aside, filepath.Base(path)+ending))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return aside, err
		}
	}
	return aside, privatefile.SyncFolder(aside)
}

// putBack undoes moveAside: database, then log, then the key.
func putBack(aside, path string) error {
	if aside == "" {
		return nil
	}
	var errs []error
	for i := range endings {
		name := path + endings[len(endings)-1-i]
		if err := os.Rename(filepath.Join(aside, filepath.Base(name)), name); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if old := auth.KeyBeside(filepath.Join(aside, databaseName)); len(errs) == 0 || errors.Join(errs...) == nil {
		if err := os.Rename(old, auth.KeyBeside(path)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		errs = append(errs, os.Remove(aside))
	}
	return errors.Join(errs...)
}

// placeKey makes the key in keyFile the one beside the store. A key that is there
// belongs to a store that was moved aside with a copy of it, or is the same.
func placeKey(path, keyFile string) error {
	beside := auth.KeyBeside(path)
	if keyFile == beside {
		return nil
	}
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return auth.CopyKey(keyFile, beside)
}
