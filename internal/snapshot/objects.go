package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// objects stores contents by their SHA-256: files in "blobs", folders in
// "trees".
type objects struct {
	dir   string
	added int64 // number of bytes added
	made  map[string]bool
}

const (
	blobs = "blobs"
	trees = "trees"
)

func (o *objects) path(kind, name string) string {
	return filepath.Join(o.dir, kind, name[:2], name[2:])
}

func (o *objects) has(kind, name string) bool {
	_, err := os.Lstat(o.path(kind, name))
	return err == nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// put stores data and returns its name.
func (o *objects) put(kind string, data []byte) (string, error) {
	name := hashOf(data)
	if o.has(kind, name) {
		return name, nil
	}
	tmp, err := o.temporary(kind, name)
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(data)
	return name, o.settle(tmp, kind, name, int64(len(data)), err)
}

// putFile stores the content of r, at most limit bytes.
func (o *objects) putFile(r io.Reader, limit int64) (name string, size int64, err error) {
	tmp, err := o.temporary(blobs, "00")
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(tmp, sum), io.LimitReader(r, limit))
	name = hex.EncodeToString(sum.Sum(nil))
	if err == nil && o.has(blobs, name) {
		return name, size, errors.Join(tmp.Close(), os.Remove(tmp.Name()))
	}
	return name, size, o.settle(tmp, blobs, name, size, err)
}

func (o *objects) temporary(kind, name string) (*os.File, error) {
	if err := o.folder(kind, name); err != nil {
		return nil, err
	}
	return os.CreateTemp(filepath.Join(o.dir, kind, name[:2]), "new-")
}

func (o *objects) folder(kind, name string) error {
	dir := filepath.Join(o.dir, kind, name[:2])
	if o.made[dir] {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if o.made == nil {
		o.made = make(map[string]bool)
	}
	o.made[dir] = true
	return nil
}

// settle renames a new object to its final name, or removes it after an error.
func (o *objects) settle(tmp *os.File, kind, name string, size int64, err error) error {
	err = errors.Join(err, tmp.Close(), o.folder(kind, name))
	if err == nil {
		err = os.Rename(tmp.Name(), o.path(kind, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	o.added += size
	return nil
}

// get returns an object, after checking that its content matches its name.
func (o *objects) get(kind, name string) ([]byte, error) {
	var buf bytes.Buffer
	err := o.copyTo(&buf, kind, name)
	return buf.Bytes(), err
}

// copyTo writes an object to w. After an error, what was written must not be
// used.
func (o *objects) copyTo(w io.Writer, kind, name string) error {
	if !commitPattern().MatchString(name) {
		return fmt.Errorf("%w: it names %.20q", ErrDamaged, name)
	}
	f, err := os.Open(o.path(kind, name))
	if err != nil {
		return fmt.Errorf("%w: a part of it is missing", ErrDamaged)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), f); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != name {
		return fmt.Errorf("%w: a part of it has changed", ErrDamaged)
	}
	return nil
}

// inMemory is the size up to which a file is hashed before it is written, since
// most files are stored already.
const inMemory = 1 << 20

// keepFile stores a file's content, at most limit bytes of it.
func (o *objects) keepFile(r io.Reader, size, limit int64) (name string, n int64, err error) {
	if size > inMemory {
		return o.putFile(r, limit)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return "", 0, err
	}
	name, err = o.put(blobs, data)
	return name, int64(len(data)), err
}

// hashReader returns the name of a content without storing it.
func hashReader(r io.Reader, limit int64) (name string, n int64, err error) {
	sum := sha256.New()
	n, err = io.Copy(sum, io.LimitReader(r, limit))
	return hex.EncodeToString(sum.Sum(nil)), n, err
}
