package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// ErrSealed reports a sealed backup that the identities given do not open.
var ErrSealed = errors.New("the backup is sealed")

// Reader opens backups of one store.
type Reader struct {
	Key auth.Key
	// Identities open what is sealed.
	Identities []age.Identity
	// Examine checks what was unpacked.
	Examine Examine
}

// Opened is a backup whose copy is unpacked and checked.
type Opened struct {
	Manifest Manifest
	Contents storefile.Contents
	work     string // the folder of the unpacked copy
}

// Open unpacks the backup in folder into a folder of its own in dir, which must be the
// store's for Place to work, and checks all of it: manifest, digest, pages, references, key and audit log.
// Call Close when it is not needed any more.
func (r Reader) Open(ctx context.Context, folder, dir string) (*Opened, error) {
	m, err := ReadManifest(folder, r.Key)
	if err != nil {
		return nil, err
	}
	sweep(dir, time.Now())
	work, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return nil, storefile.Unwritable(err)
	}
	o := &Opened{Manifest: m, work: work}
	if err := r.unpack(ctx, o, folder); err != nil {
		return nil, errors.Join(fmt.Errorf("the backup in %s: %w", folder, err), o.Close())
	}
	return o, nil
}

// unpack fills the folder of the unpacked copy, and checks what is in it.
func (r Reader) unpack(ctx context.Context, o *Opened, folder string) error {
	if err := extract(folder, o.Copy(), o.Manifest, r.Identities); err != nil {
		return storefile.Unwritable(err)
	}
	size, sum, err := digest(o.Copy())
	if err != nil {
		return err
	}
	if size != o.Manifest.Bytes || sum != o.Manifest.SHA256 {
		return fmt.Errorf("%w: the copy is not the one that its manifest describes: use another backup", bridge.ErrStoreDamaged)
	}
	o.Contents, err = r.Examine(ctx, o.Copy(), r.Key)
	return err
}

// Copy is the file of the unpacked copy, in a folder of its own. It may be opened as a
// store, and is gone after Close. Place needs it as it was unpacked.
func (o *Opened) Copy() string { return filepath.Join(o.work, databaseName) }

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

// Occupied returns the files that Place would move aside for a store with key: those
// of a store, or of one of which only a part is left, and a key that is another one.
func Occupied(path string, key auth.Key) (files []string) {
	for _, ending := range endings {
		if exists(path + ending) {
			files = append(files, path+ending)
		}
	}
	beside := keyfile.Beside(path)
	if !exists(beside) {
		return files
	}
	// A file that is not a key is kept just as another key is.
	if old, err := keyfile.Load(beside); err != nil || !auth.SameKey(old, key) {
		files = append(files, beside)
	}
	return files
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Place makes the copy the store at path, with key beside it. What is Occupied is moved
// into a folder beside it whose path is returned, with a copy of its key; "" where
// nothing was. The error is bridge.ErrStoreBusy while a process has the old store open;
// after any error the old store and its key are where they were.
func (o *Opened) Place(path string, key auth.Key, now time.Time) (aside string, err error) {
	files := Occupied(path, key)
	if len(files) > 0 {
		if files[0] != keyfile.Beside(path) && storefile.Running(path) {
			return "", fmt.Errorf("%w: stop all bridge processes that use %s first", bridge.ErrStoreBusy, path)
		}
		if aside, err = moveAside(path, files, now); err != nil {
			return "", errors.Join(storefile.Unwritable(err), putBack(aside, files))
		}
	}
	if err = o.place(path, key); err != nil {
		return "", errors.Join(storefile.Unwritable(err), putBack(aside, files))
	}
	return aside, storefile.Unwritable(privatefile.SyncFolder(filepath.Dir(path)))
}

// place puts the key beside the store first: a store without its key is of no use. A
// key that was put there is taken away again when the copy cannot follow it.
func (o *Opened) place(path string, key auth.Key) error {
	beside := keyfile.Beside(path)
	kept := exists(beside)
	if !kept {
		if err := keyfile.Save(key, beside); err != nil {
			return err
		}
	}
	err := os.Rename(o.Copy(), path)
	if err != nil && !kept {
		err = errors.Join(err, os.Remove(beside))
	}
	return err
}

// endings are those of a store's files. The log goes before the database: a process
// that starts in between finds a whole older state, and one that started just before
// is told that its store is gone.
var endings = []string{"-shm", "-wal", ""}

// moveAside gives files a folder of their own. The key of a store that is moved stays
// where it is, if it is not among them, and a copy goes along.
func moveAside(path string, files []string, now time.Time) (aside string, err error) {
	aside = path + ".replaced-" + now.UTC().Format(nameLayout)
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", err
	}
	beside := keyfile.Beside(path)
	if !slices.Contains(files, beside) {
		if err := keyfile.Copy(beside, filepath.Join(aside, filepath.Base(beside))); err != nil && !errors.Is(err, keyfile.ErrNoKey) {
			return aside, err
		}
	}
	for _, file := range files {
		if err := os.Rename(file, filepath.Join(aside, filepath.Base(file))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return aside, err
		}
	}
	return aside, privatefile.SyncFolder(aside)
}

// putBack undoes moveAside, the last file first. The folder goes with the copy of a
// key that it may hold, and only when all else is back.
func putBack(aside string, files []string) error {
	if aside == "" {
		return nil
	}
	for _, file := range slices.Backward(files) {
		if err := os.Rename(filepath.Join(aside, filepath.Base(file)), file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(aside)
}
