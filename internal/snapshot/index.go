package snapshot

import (
	"bytes"
	"crypto/sha1" // #nosec G505 -- git's own format; it only tells which of two it is
	"encoding/binary"
	"encoding/hex"
	"errors"
)

var errIndex = errors.New("git's index cannot be read")

// parseIndex returns the paths in git's index (gitformat-index(5)), versions 2 to
// 4, and for a split index the name of the file with the remaining paths. For any
// other input it returns an error and never panics, because a command may have
// written the file.
func parseIndex(data []byte) (paths []string, shared string, err error) {
	const header = 12
	if len(data) < header+sha1.Size || string(data[:4]) != "DIRC" {
		return nil, "", errIndex
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 || int(count) > len(data)/62 && version < 4 {
		return nil, "", errIndex
	}
	r := indexReader{data: data, at: header, version: version, hash: hashSize(data)}
	for range count {
		path, ok := r.next()
		if !ok {
			return nil, "", errIndex
		}
		if path != "" { // an entry of a split index that replaces an entry of the shared file
			paths = append(paths, path)
		}
	}
	return paths, r.shared(), nil
}

// shared returns the name of a split index's shared file. The extension "link",
// which follows the entries, begins with its hash.
func (r *indexReader) shared() string {
	const header = 8 // a name, and the length of the following data
	for r.at+header+r.hash <= len(r.data)-r.hash {
		size := int(binary.BigEndian.Uint32(r.data[r.at+4:]))
		begin := r.at + header
		if string(r.data[r.at:r.at+4]) == "link" && size >= r.hash {
			sum := r.data[begin : begin+r.hash]
			if bytes.Equal(sum, make([]byte, r.hash)) {
				return ""
			}
			return "sharedindex." + hex.EncodeToString(sum)
		}
		if size > len(r.data) {
			return ""
		}
		r.at = begin + size
	}
	return ""
}

// hashSize distinguishes an index with SHA-1 from one with SHA-256 by the
// checksum at the end, which git can be configured to leave out.
func hashSize(data []byte) int {
	end := len(data) - sha1.Size
	sum := sha1.Sum(data[:end]) // #nosec G401 -- see the import
	if bytes.Equal(sum[:], data[end:]) || bytes.Equal(make([]byte, sha1.Size), data[end:]) {
		return sha1.Size
	}
	return 32
}

// maxPath is the maximum length of a path on Linux.
const maxPath = 4096

type indexReader struct {
	data    []byte
	at      int
	version uint32
	hash    int
	last    []byte
}

// next returns the path of the next entry.
func (r *indexReader) next() (string, bool) {
	const stat = 40
	begin := r.at
	flags := begin + stat + r.hash
	name := flags + 2
	if name >= len(r.data) {
		return "", false
	}
	const extended = 0x4000
	if r.version >= 3 && binary.BigEndian.Uint16(r.data[flags:])&extended != 0 {
		name += 2
	}
	var path []byte
	if r.version == 4 {
		strip, n := offset(r.data, name)
		if n == 0 || strip > len(r.last) {
			return "", false
		}
		name += n
		path = append(path, r.last[:len(r.last)-strip]...)
	}
	if name > len(r.data) {
		return "", false
	}
	length := bytes.IndexByte(r.data[name:], 0)
	if length < 0 {
		return "", false
	}
	path = append(path, r.data[name:name+length]...)
	if len(path) > maxPath {
		return "", false
	}
	r.at = name + length + 1
	if r.version < 4 { // padded to a multiple of eight
		r.at = begin + (name+length-begin)/8*8 + 8
	}
	r.last = path
	return string(path), true
}

// offset reads a number as encoded in git's packs, at most 28 bits of it.
func offset(data []byte, at int) (value, n int) {
	for i := 0; at+i < len(data) && i < 4; i++ {
		c := data[at+i]
		if i > 0 {
			value++
		}
		value = value<<7 | int(c&0x7f)
		if c&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}
