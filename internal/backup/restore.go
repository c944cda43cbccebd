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

// ErrSealed reports a sealed backup that none of the given identities opens.
var ErrSealed = errors.New("the backup is sealed")

// Reader opens backups of one store.
type Reader struct {
	Key auth.Key
	// Identities open sealed backups.
	Identities []age.Identity
	// Examine checks the unpacked copy.
	Examine Examine
}

// Opened is a backup whose copy has been unpacked and checked.
type Opened struct {
	Manifest Manifest
	Contents storefile.Contents
	work     string // the folder of the unpacked copy
}

// Open unpacks the backup in folder into a new folder in dir and checks all of it:
// manifest, digest, pages, references, key and audit log. For Place to work, dir must
// be the store's folder. Call Close when the copy is no longer needed.
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

// unpack fills the folder of the unpacked copy and checks its content.
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

// Copy returns the path of the unpacked copy, which is in its own folder. It may be
// opened as a store, but Place requires it unchanged. Close removes it.
func (o *Opened) Copy() string { return filepath.Join(o.work, databaseName) }

// Close removes the unpacked copy.
func (o *Opened) Close() error { return os.RemoveAll(o.work) }

// extract writes the copy, decrypted if it is sealed, to a new file.
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
				return fmt.Errorf("%w, but not to this identity: give the identity file of one of its recipients", ErrSealed)
			}
		}
		// Reading one byte more than expected shows whether the file is too long.
		_, err := io.Copy(w, io.LimitReader(source, m.Bytes+1))
		return err
	})
}

// Occupied returns the files that Place would move aside for a store with key: the
// files of an existing store, even if only some are left, and a key file with another
// key.
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
	// A file that is not a valid key is treated like another key.
	if old, err := keyfile.Load(beside); err != nil || !auth.SameKey(old, key) {
		files = append(files, beside)
	}
	return files
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Place makes the copy the store at path, with key beside it. The files that Occupied
// returns are moved to a folder beside it, together with a copy of their key. Place
// returns the path of that folder, or "" if no files were moved. The error is
// bridge.ErrStoreBusy if a process has the old store open. After any error the old
// store and its key are back in their places, unless a process that started meanwhile
// has made a new store there: then both are kept, and the error is ErrStoreBusy.
func (o *Opened) Place(path string, key auth.Key, now time.Time) (aside string, err error) {
	files := Occupied(path, key)
	if len(files) > 0 {
		if files[0] != keyfile.Beside(path) && storefile.Running(path) {
			return "", fmt.Errorf("%w: stop all bridge processes that use %s first", bridge.ErrStoreBusy, path)
		}
		if aside, err = moveAside(path, files, now); err != nil {
			return undo(err, aside, files)
		}
	}
	return o.replace(path, key, aside, files)
}

// replace puts the copy at path, from where files were moved to aside. It replaces
// nothing that a process has made there meanwhile.
func (o *Opened) replace(path string, key auth.Key, aside string, files []string) (string, error) {
	switch err := o.place(path, key); {
	case errors.Is(err, fs.ErrExist):
		return aside, taken(aside)
	case err != nil:
		return undo(err, aside, files)
	}
	return aside, storefile.Unwritable(privatefile.SyncFolder(filepath.Dir(path)))
}

// undo puts files back after an error.
func undo(err error, aside string, files []string) (string, error) {
	back := putBack(aside, files)
	if errors.Is(back, fs.ErrExist) {
		return aside, errors.Join(storefile.Unwritable(err), taken(aside))
	}
	return "", errors.Join(storefile.Unwritable(err), back)
}

// taken reports a process that has made a store, or its key, after files were moved
// aside.
func taken(aside string) error {
	moved := ""
	if aside != "" {
		moved = "; what was moved aside is in " + aside
	}
	return fmt.Errorf("%w: a process that started just now makes a store in the same place%s: stop all bridge processes and run this command again with --replace",
		bridge.ErrStoreBusy, moved)
}

// place puts the key beside the store first, because a store without its key is
// useless. If the copy cannot be placed, a key that was added is removed again, unless
// there is a store by now, which may have been made with it. The error is fs.ErrExist if
// there is a store by now, or another key.
func (o *Opened) place(path string, key auth.Key) error {
	beside := keyfile.Beside(path)
	kept := exists(beside)
	if !kept {
		if err := keyfile.Save(key, beside); err != nil {
			return err
		}
	}
	if there, err := keyfile.Load(beside); err != nil || !auth.SameKey(there, key) {
		return errors.Join(&fs.PathError{Op: "place", Path: beside, Err: fs.ErrExist}, err)
	}
	err := privatefile.Move(o.Copy(), path)
	if err != nil && !kept && !exists(path) {
		err = errors.Join(err, os.Remove(beside))
	}
	return err
}

// endings are the suffixes of a store's files. The log is moved before the database, so
// that a process that starts in between finds a complete older state, and one that
// started just before reports that its store is gone.
var endings = []string{"-shm", "-wal", ""}

// moveAside moves files into a new folder. If the key is not among them it stays in
// place, and a copy of it is put into the folder.
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

// putBack undoes moveAside. The key and the log come first: a process that starts in
// between opens no database without its log. It replaces nothing: the error is
// fs.ErrExist if there is a file by now. The folder, with the copy of a key that may be in
// it, is removed only when everything else is back.
func putBack(aside string, files []string) error {
	if aside == "" {
		return nil
	}
	if last := len(files) - 1; last > 0 && files[last] == keyfile.Beside(files[last]) {
		files = slices.Concat(files[last:], files[:last])
	}
	for _, file := range files {
		if err := privatefile.Move(filepath.Join(aside, filepath.Base(file)), file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(aside)
}
