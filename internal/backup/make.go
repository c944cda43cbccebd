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

// prefix begins the names of backups, and nameLayout is the time in them, in UTC.
const (
	prefix     = "bridge-"
	nameLayout = "20060102T150405.000Z"
)

// unfinished begins the name of a folder that a backup is made in. One that a killed
// process left is removed by the next backup when it is abandoned for a day.
const (
	unfinished = ".bridge-backup-"
	abandoned  = 24 * time.Hour
)

// Examine reads all of a store in a file that nobody has open, and checks it: pages,
// references, key and audit log.
type Examine func(ctx context.Context, path string, key auth.Key) (storefile.Contents, error)

// Maker makes backups of one store.
type Maker struct {
	// Path is where the store is.
	Path string
	// CopyTo writes what the store holds into a new file, while others use it. It returns
	// the end of the store's own log before that, where that is not in the copy's log.
	CopyTo func(ctx context.Context, path string) (noted audit.Head, err error)
	// Examine checks the copy.
	Examine Examine
	Key     auth.Key
	// Program is the version of bridge, for the manifest.
	Program string
	// Recipients can open the copy, when there are any; nobody else can.
	Recipients []age.Recipient
}

// Make puts a backup into a new folder in dir, which it makes if need be, and returns
// the folder. The copy is read again and checked before the folder gets its name:
// after an error there is none. What was acknowledged before the call is in it.
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
		return "", made, fmt.Errorf("%s is there already: make one backup after the other", folder)
	}
	err = errors.Join(privatefile.SyncFolder(work), os.Rename(work, folder), privatefile.SyncFolder(dir))
	return folder, made, storefile.Unwritable(err)
}

// fill makes the files of a backup in the folder work. The plain copy of one that is
// sealed is made beside the store: no text may reach the disk of the backups as it is.
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

// copy makes the plain copy, reads it again, and describes it.
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

// digest returns the size of a file in bytes and its SHA-256, in hexadecimal.
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
