package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// cache remembers what files were hashed to. A file is not read again as long
// as its inode, size and times are the same. The time of change cannot be set
// by a program, so that a content cannot be changed behind it.
type cache struct {
	old, new map[string]cached
	now      func() time.Time
	changed  bool
}

type cached struct {
	dev, inode   uint64
	size         int64
	mtime, ctime int64
	hash         [sha256.Size]byte
}

// settled is how old a file's last change must be when it is read. A later one
// then has another time, whatever the grain of the file system's clock.
const settled = 100 * time.Millisecond

const cacheMagic = "bridge snapshot cache 1\n"

func (k Keeper) cachePath(top string) string {
	return filepath.Join(k.Dir, "caches", hashOf([]byte(top)))
}

func (c *cache) clock() int64 { return c.now().UnixNano() }

func (c *cache) find(path string, i info) (hash string, ok bool) {
	e, ok := c.old[path]
	if !ok || e.dev != i.dev || e.inode != i.inode || e.size != i.size || e.mtime != i.mtime || e.ctime != i.ctime {
		return "", false
	}
	c.new[path] = e
	return hex.EncodeToString(e.hash[:]), true
}

// add remembers a file that was opened at began and looked as i says.
func (c *cache) add(path string, i info, hash string, began int64) {
	c.changed = true
	if i.ctime > began-int64(settled) || i.mtime > began-int64(settled) {
		return
	}
	e := cached{dev: i.dev, inode: i.inode, size: i.size, mtime: i.mtime, ctime: i.ctime}
	sum, err := hex.DecodeString(hash)
	if err != nil || copy(e.hash[:], sum) != len(e.hash) {
		return
	}
	c.new[path] = e
}

// loadCache reads what was remembered. A damaged file is no memory at all.
func loadCache(path string) *cache {
	c := &cache{old: map[string]cached{}, new: map[string]cached{}, now: time.Now}
	data, err := os.ReadFile(path)
	if err != nil || len(data) < sha256.Size {
		return c
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:], sum) {
		return c
	}
	if old, err := decodeCache(body); err == nil {
		c.old = old
		c.new = make(map[string]cached, len(old))
	}
	return c
}

var errCache = errors.New("damaged")

func decodeCache(data []byte) (map[string]cached, error) {
	rest, ok := bytes.CutPrefix(data, []byte(cacheMagic))
	if !ok {
		return nil, errCache
	}
	const fixed = 2 + 5*8 + sha256.Size
	all := make(map[string]cached, len(rest)/(fixed+30))
	for len(rest) > 0 {
		if len(rest) < fixed {
			return nil, errCache
		}
		length := int(binary.LittleEndian.Uint16(rest))
		if len(rest) < fixed+length {
			return nil, errCache
		}
		number := func(i int) uint64 { return binary.LittleEndian.Uint64(rest[2+8*i:]) }
		e := cached{dev: number(0), inode: number(1), size: int64(number(2)), mtime: int64(number(3)), ctime: int64(number(4))}
		copy(e.hash[:], rest[2+5*8:])
		all[string(rest[fixed:fixed+length])] = e
		rest = rest[fixed+length:]
	}
	return all, nil
}

// save writes what is remembered now, if that is not what was.
func (c *cache) save(path string) error {
	if !c.changed && len(c.new) == len(c.old) {
		return nil
	}
	var buf bytes.Buffer
	buf.WriteString(cacheMagic)
	var b []byte
	for name, e := range c.new {
		if len(name) > maxPath {
			continue
		}
		b = binary.LittleEndian.AppendUint16(b[:0], uint16(len(name)))
		for _, n := range []uint64{e.dev, e.inode, uint64(e.size), uint64(e.mtime), uint64(e.ctime)} {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		buf.Write(b)
		buf.Write(e.hash[:])
		buf.WriteString(name)
	}
	sum := sha256.Sum256(buf.Bytes())
	buf.Write(sum[:])
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(buf.Bytes())
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
