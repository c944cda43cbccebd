package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// prefix begins the names of backups, and nameLayout is the format of the time in them,
// in UTC.
const (
	prefix     = "bridge-"
	nameLayout = "20060102T150405.000Z"
)

// unfinished is the prefix of the folder in which a backup is made. A folder left by a
// killed process is removed by the next backup when it is a day old.
const (
	unfinished = ".bridge-backup-"
	abandoned  = 24 * time.Hour
)

// Examine reads a whole store in a file that no process has open, and checks pages,
// references, key and audit log.
type Examine func(ctx context.Context, path string, key auth.Key) (storefile.Contents, error)

// Maker makes backups of one store.
type Maker struct {
	// Path is where the store is.
	Path string
	// CopyTo writes the store's content to a new file while others use the store. It
	// returns the head of the store's own log, if the copy's log does not contain that.
	CopyTo func(ctx context.Context, path string) (noted audit.Head, err error)
	// Examine checks the copy.
	Examine Examine
	Key     auth.Key
	// Program is the version of bridge for the manifest.
	Program string
	// Recipients are those who can open the copy. If there are none, the copy is not
	// sealed.
	Recipients []age.Recipient
}

// Make makes a backup in a new folder in dir, which it creates if necessary, and
// returns the folder. The backup contains everything acknowledged before the call. The
// copy is read back and checked before the folder gets its name, so that after an error
// there is no such folder.
func (m Maker) Make(ctx context.Context, dir string, now time.Time) (folder string, made Manifest, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", made, storefile.Unwritable(err)
	}
	sweep(dir, now)
	work, err := os.MkdirTemp(dir, unfinished) // mode 0700
	if err != nil {
		return "", made, storefile.Unwritable(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if made, err = m.fill(ctx, work, now); err != nil {
		return "", made, storefile.Unwritable(err)
	}
	folder = filepath.Join(dir, prefix+now.UTC().Format(nameLayout))
	if _, err := os.Lstat(folder); err == nil {
		return "", made, fmt.Errorf("%s already exists: make one backup at a time", folder)
	}
	err = errors.Join(privatefile.SyncFolder(work), os.Rename(work, folder), privatefile.SyncFolder(dir))
	return folder, made, storefile.Unwritable(err)
}

// fill creates the files of a backup in the folder work. The plain copy for a sealed
// backup is made beside the store, so that no clear text reaches the disk of the
// backups.
func (m Maker) fill(ctx context.Context, work string, now time.Time) (made Manifest, err error) {
	plain := filepath.Join(work, databaseName)
	if len(m.Recipients) > 0 {
		dir := filepath.Dir(m.Path)
		sweep(dir, now)
		beside, mkErr := os.MkdirTemp(dir, unfinished)
		if mkErr != nil {
			return made, mkErr
		}
		defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
		plain = filepath.Join(beside, databaseName)
	}
	if made, err = m.copy(ctx, plain, now); err != nil {
		return made, err
	}
	if made.Sealed {
		if err := seal(plain, filepath.Join(work, sealedName), m.Recipients); err != nil {
			return made, err
		}
	}
	return made, made.write(work, m.Key)
}

// copy makes the plain copy, reads it back, and describes it.
func (m Maker) copy(ctx context.Context, plain string, now time.Time) (made Manifest, err error) {
	noted, err := m.CopyTo(ctx, plain)
	if err != nil {
		return made, err
	}
	found, err := m.Examine(ctx, plain, m.Key)
	if err != nil {
		return made, fmt.Errorf("check the copy: %w", err)
	}
	made = describe(found)
	if noted.Seq > 0 {
		made.ServerHead = noted.String()
	}
	made.Made, made.Program, made.Sealed = now.UTC().Truncate(time.Millisecond), m.Program, len(m.Recipients) > 0
	made.Bytes, made.SHA256, err = digest(plain)
	return made, err
}

// digest returns the size of a file in bytes and its SHA-256 in hexadecimal.
func digest(path string) (size int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return size, hex.EncodeToString(h.Sum(nil)), err
}
