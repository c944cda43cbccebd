package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cache remembers what files were hashed to. A file is not read again as long
// as its inode, size and times are the same. The time of change cannot be set
// by a program, so that a content cannot be changed behind it. A file that a
// program has open for writing is not remembered: the program may have it in its
// memory (mmap), and then only its first write changes the times.
//
// Entries are kept in the order of the walk, so that a walk of an unchanged
// workspace finds each at its place, without an index.
type cache struct {
	old     []cached
	at      int            // where in old the walk is
	index   map[string]int // of old, made when the walk leaves its order
	new     []cached
	now     func() time.Time
	changed bool
}

type cached struct {
	path         string
	hash         string // hexadecimal
	dev, inode   uint64
	size         int64
	mtime, ctime int64
}

// settled is how old a file's last change must be when it is read. A later one
// then has another time, whatever the grain of the file system's clock.
const settled = 100 * time.Millisecond

const cacheMagic = "bridge snapshot cache 2\n"

func (k Keeper) cachePath(top string) string {
	return filepath.Join(k.Dir, "caches", hashOf([]byte(top)))
}

func (c *cache) clock() int64 { return c.now().UnixNano() }

func (c *cache) find(path string, i info) (hash string, ok bool) {
	e := c.lookup(path)
	if e == nil || e.dev != i.dev || e.inode != i.inode || e.size != i.size || e.mtime != i.mtime || e.ctime != i.ctime {
		return "", false
	}
	c.new = append(c.new, *e)
	return e.hash, true
}

// lookup returns what is remembered of a path, or nil.
func (c *cache) lookup(path string) *cached {
	if c.at == len(c.old) || c.old[c.at].path != path {
		if c.index == nil {
			c.index = make(map[string]int, len(c.old))
			for i, e := range c.old {
				c.index[e.path] = i
			}
		}
		at, found := c.index[path]
		if !found {
			return nil
		}
		c.at = at
	}
	c.at++
	return &c.old[c.at-1]
}

// add remembers a file that was opened at began and looked as i says.
func (c *cache) add(path string, i info, hash string, began int64) {
	c.changed = true
	if i.ctime > began-int64(settled) || i.mtime > began-int64(settled) {
		return
	}
	c.new = append(c.new, cached{path: path, hash: hash, dev: i.dev, inode: i.inode, size: i.size, mtime: i.mtime, ctime: i.ctime})
}

// loadCache reads what was remembered. A damaged file counts as none.
func (k Keeper) loadCache(top string) *cache {
	c := &cache{now: k.Now}
	data, err := os.ReadFile(k.cachePath(top))
	if err != nil || len(data) < sumSize {
		return c
	}
	body, sum := data[:len(data)-sumSize], data[len(data)-sumSize:]
	if checksum(body) != binary.LittleEndian.Uint32(sum) {
		return c
	}
	if old, err := decodeCache(string(body)); err == nil {
		c.old = old
		c.new = make([]cached, 0, len(old))
	}
	return c
}

// sumSize is the size of the sum at the end of the file. It tells damage, not
// forgery: who can write to the keeper's folder can do more than that.
const sumSize = 4

func checksum(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

var errCache = errors.New("damaged")

// An entry of the file is five numbers, the length of the path, the hash in
// hexadecimal, and the path.
const (
	numbersSize = 5 * 8
	hashLength  = 2 * sha256.Size
	fixedSize   = numbersSize + 2 + hashLength
)

// decodeCache takes a string, of which the entries share the memory.
func decodeCache(text string) ([]cached, error) {
	rest, ok := strings.CutPrefix(text, cacheMagic)
	if !ok {
		return nil, errCache
	}
	all := make([]cached, 0, len(rest)/(fixedSize+16))
	for len(rest) > 0 {
		if len(rest) < fixedSize {
			return nil, errCache
		}
		length := int(rest[numbersSize]) | int(rest[numbersSize+1])<<8
		if len(rest) < fixedSize+length {
			return nil, errCache
		}
		all = append(all, cached{
			path: rest[fixedSize : fixedSize+length], hash: rest[numbersSize+2 : fixedSize],
			dev: number(rest), inode: number(rest[8:]), size: int64(number(rest[16:])),
			mtime: int64(number(rest[24:])), ctime: int64(number(rest[32:])),
		})
		rest = rest[fixedSize+length:]
	}
	return all, nil
}

// number reads eight bytes, the lowest first.
func number(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// save writes what is remembered now, if that is not what was.
func (c *cache) save(path string) error {
	if !c.changed && len(c.new) == len(c.old) {
		return nil
	}
	data := []byte(cacheMagic)
	for _, e := range c.new {
		if len(e.path) > maxPath || len(e.hash) != hashLength {
			continue
		}
		for _, n := range []uint64{e.dev, e.inode, uint64(e.size), uint64(e.mtime), uint64(e.ctime)} {
			data = binary.LittleEndian.AppendUint64(data, n)
		}
		data = binary.LittleEndian.AppendUint16(data, uint16(len(e.path)))
		data = append(append(data, e.hash...), e.path...)
	}
	data = binary.LittleEndian.AppendUint32(data, checksum(data))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
