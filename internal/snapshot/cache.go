package snapshot

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.org/bridge/internal/dirstate"
)

// cache remembers the content of a workspace's folders and the hashes of its
// files. A file is not read again while its inode, size and times are unchanged.
// The change time cannot be set by a program, so the content cannot be changed
// without changing it. A file that a program has open for writing is not
// remembered, because it may be mapped into memory (mmap), and then only the first
// write changes the times. The names in a folder are not read again while they are
// known to be unchanged (package dirstate).
type cache struct {
	old  map[string]*known // by the folder's path below the workspace
	next []string          // what is remembered of each folder visited
	now  func() time.Time
	// changed reports whether next differs from the file.
	changed bool
}

// known is what is remembered of a folder, as slices of the cache file.
type known struct {
	whole   string
	stamp   dirstate.Stamp // zero if there may be more names
	entries string
	names   string
}

const cacheMagic = "bridge snapshot cache 3\n"

// A folder in the file consists of a head, its path, a fixed-size entry for each
// name, in order, and the names. The head holds the length of the path, the number
// of entries, the length of the names, and the stamp. An entry holds the end of its
// name within the names, its kind (0 if no hash is remembered), five numbers, and
// the hash in hexadecimal.
const (
	headSize    = 3*4 + 4*8
	numbersFrom = 4 + 1
	hashFrom    = numbersFrom + 5*8
	hashLength  = 64
	entrySize   = hashFrom + hashLength
)

func (k Keeper) cachePath(top string) string {
	return filepath.Join(k.Dir, "caches", hashOf([]byte(top)))
}

func (c *cache) clock() int64 { return c.now().UnixNano() }

// loadCache reads the cache file. A damaged file is treated as empty.
func (k Keeper) loadCache(top string) *cache {
	c := &cache{now: k.Now}
	if text, err := readSummed(k.cachePath(top)); err == nil {
		if rest, ok := strings.CutPrefix(text, cacheMagic); ok {
			c.old = decodeCache(rest)
		}
	}
	return c
}

var errCache = errors.New("damaged")

// newSum returns the checksum at the end of the file, CRC-32C.
func newSum() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// sumSize is the size of the checksum at the end of the file. It detects
// damage, not forgery: somebody who can write to the keeper's folder can do
// more harm anyway.
const sumSize = 4

// readSummed reads a file that ends with its own checksum.
func readSummed(path string) (string, error) {
	f, err := os.Open(path) // #nosec G304 -- in the keeper's folder
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || info.Size() < sumSize {
		return "", errors.Join(err, errCache)
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	sum := newSum()
	if _, err := io.CopyN(io.MultiWriter(&text, sum), f, info.Size()-sumSize); err != nil {
		return "", err
	}
	var want [sumSize]byte
	if _, err := io.ReadFull(f, want[:]); err != nil || binary.LittleEndian.Uint32(want[:]) != sum.Sum32() {
		return "", errors.Join(err, errCache)
	}
	return text.String(), nil
}

// decodeCache decodes the file. The folders share the memory of the text. If it
// is damaged, decodeCache returns no folders.
func decodeCache(text string) map[string]*known {
	all := make(map[string]*known)
	for len(text) > 0 {
		if len(text) < headSize {
			return nil
		}
		path, count, names := uint64(number4(text)), uint64(number4(text[4:])), uint64(number4(text[8:]))
		begin := headSize + path
		end := begin + count*entrySize
		if end+names > uint64(len(text)) {
			return nil
		}
		f := &known{whole: text[:end+names], entries: text[begin:end], names: text[end : end+names]}
		f.stamp.Device, f.stamp.Inode = number(text[12:]), number(text[20:])
		f.stamp.Modified, f.stamp.Changed = int64(number(text[28:])), int64(number(text[36:])) // #nosec G115 -- as it was written
		if !f.ordered() {
			return nil
		}
		all[text[headSize:begin]] = f
		text = text[end+names:]
	}
	return all
}

// number4 reads four bytes in little-endian order.
func number4(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// number reads eight bytes in little-endian order.
func number(s string) uint64 {
	_ = s[7]
	return uint64(number4(s)) | uint64(number4(s[4:]))<<32
}

// count returns the number of names; 0 for nil.
func (f *known) count() int {
	if f == nil {
		return 0
	}
	return len(f.entries) / entrySize
}

// ordered reports whether the ends of the names in the entries are in order and
// within bounds.
func (f *known) ordered() bool {
	last := uint32(0)
	for i := range f.count() {
		end := number4(f.entries[i*entrySize:])
		if end < last || uint64(end) > uint64(len(f.names)) {
			return false
		}
		last = end
	}
	return true
}

func (f *known) name(i int) string {
	from := uint32(0)
	if i > 0 {
		from = number4(f.entries[(i-1)*entrySize:])
	}
	return f.names[from:number4(f.entries[i*entrySize:])]
}

// hash returns the hash of a file or link, if it is unchanged.
func (f *known) hash(i int, now *info) string {
	e := f.entries[i*entrySize : (i+1)*entrySize]
	n := e[numbersFrom:hashFrom]
	if e[4] == 0 || kind(e[4]) != now.kind || number(n) != now.dev || number(n[8:]) != now.inode || number(n[16:]) != uint64(now.size) ||
		number(n[24:]) != uint64(now.mtime) || number(n[32:]) != uint64(now.ctime) { // #nosec G115 -- as they were written
		return ""
	}
	return e[hashFrom:]
}

// remembers reports whether there is a hash for the i-th name.
func (f *known) remembers(i int) bool { return f.entries[i*entrySize+4] != 0 }

// settled reports whether every later change of a file, which was read from a
// time on, must give it different times.
func (i *info) settled(read int64) bool {
	return dirstate.Settled(i.mtime, read) && dirstate.Settled(i.ctime, read)
}

// note remembers a folder that was visited.
func (c *cache) note(path string, l *listing) {
	if l.isKnown() {
		c.next = append(c.next, l.known.whole)
		return
	}
	c.changed = true
	c.next = append(c.next, encode(path, l))
}

func encode(path string, l *listing) string {
	size := 0
	for i := range l.found {
		size += len(l.found[i].name)
	}
	var b strings.Builder
	b.Grow(headSize + len(path) + len(l.found)*entrySize + size)
	var buf []byte
	for _, n := range []int{len(path), len(l.found), size} {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(n)) // #nosec G115 -- of what is in memory
	}
	for _, n := range []uint64{l.stamp.Device, l.stamp.Inode, uint64(l.stamp.Modified), uint64(l.stamp.Changed)} { // #nosec G115 -- and back
		buf = binary.LittleEndian.AppendUint64(buf, n)
	}
	b.Write(buf)
	b.WriteString(path)
	end := 0
	for i := range l.found {
		e := &l.found[i]
		end += len(e.name)
		b.Write(e.encode(buf[:0], end))
	}
	for i := range l.found {
		b.WriteString(l.found[i].name)
	}
	return b.String()
}

var noHash [hashLength]byte

// encode appends an entry whose name ends at the given position.
func (e *found) encode(buf []byte, end int) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(end)) // #nosec G115 -- as above
	if !e.remember {
		return append(append(buf, make([]byte, 1+5*8)...), noHash[:]...)
	}
	buf = append(buf, byte(e.kind))
	for _, n := range []uint64{e.dev, e.inode, uint64(e.size), uint64(e.mtime), uint64(e.ctime)} { // #nosec G115 -- and back
		buf = binary.LittleEndian.AppendUint64(buf, n)
	}
	return append(buf, e.hash...)
}

// save writes the cache file, if it has changed.
func (c *cache) save(path string) error {
	if !c.changed && len(c.next) == len(c.old) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return err
	}
	if err = errors.Join(c.write(tmp), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

func (c *cache) write(f *os.File) error {
	out := bufio.NewWriterSize(f, 256<<10)
	sum := newSum()
	both := io.MultiWriter(out, sum)
	_, err := io.WriteString(both, cacheMagic)
	for _, folder := range c.next {
		if err == nil {
			_, err = io.WriteString(both, folder)
		}
	}
	if err == nil {
		_, err = out.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	}
	return errors.Join(err, out.Flush())
}
