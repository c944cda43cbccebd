package storefile

import (
	"encoding/binary"
	"io"
	"sync"
)

// The header of the log's index: two copies of the same 48 bytes in the machine's byte
// order (https://www.sqlite.org/walformat.html, section 2.1).
const (
	indexCopySize   = 48
	indexHeaderSize = 136 // both copies, and the positions of checkpoints and readers

	offsetPageSize = 14
	offsetMaxFrame = 16
	offsetPages    = 20
	offsetChecksum = 24
	offsetSalt     = 32
)

// The log: a header, followed by frames that each have a header and a page (section 1
// of https://www.sqlite.org/fileformat.html#the_write_ahead_log).
const (
	logHeaderSize    = 32
	logSalt          = 16
	frameHeaderSize  = 24
	frameSalt        = 8
	frameChecksum    = 16
	largestPage      = 65536
	largestPageAsOne = 1 // as the index stores it
)

// indexLooks bounds how often the index is read again while others change it.
const indexLooks = 1000

// fit is the result of comparing a log with its index.
type fit int

const (
	fits    fit = iota
	differs     // the log does not end with the frame that the index names as the last
	emptied     // the index has no header: it is new, or was truncated
)

// ends compares the log with the frame that the index names as the last. They fit if
// both have the same salt, which changes with each restart of the log, and the same
// checksum, which covers all frames up to that one. The header of the log must have
// that salt too, because a restarted log still holds old frames after its new ones. An
// index that keeps changing, or one that a process left half-written when it died,
// counts as fitting.
func ends(index, log io.ReaderAt) fit {
	var header indexHeader
	for range indexLooks {
		switch stable, whole := header.read(index); {
		case !whole:
			return emptied
		case !stable:
			continue
		}
		if header.frame() == 0 {
			return fits // everything is in the database; the content of the log is no longer used
		}
		if header.begins(log) && header.endOf(log) {
			return fits
		}
		// The log may have been restarted in between, and then the index has changed.
		before := header
		if stable, whole := header.read(index); whole && stable && header == before {
			return differs
		}
	}
	return fits
}

// mostRestarts bounds how often a log restarts between two looks at its index.
const mostRestarts = 1 << 20

// past remembers how far a log had come when its index was last read.
type past struct {
	mutex sync.Mutex
	seen  *indexHeader
}

// wentBack reports whether the index describes an earlier state of the log than it did
// before, as it does if it was put back from a copy. Such an index fits the beginning
// of the log, and the commits after that would be overwritten.
//
// While the salts of a log stay the same, its frames only increase in number. Each
// restart increments the first salt, so an index with a lower one belongs to an earlier
// log, provided that the log is still the one seen before. A first salt that is far
// away belongs to a different log, unless the log's header has it too: a process that
// writes the first frame after a restart begun by a connection that died gives the log
// new random salts (walFrames in SQLite's wal.c).
func (p *past) wentBack(index, log io.ReaderAt) bool {
	p.mutex.Lock() // locked before reading, so that each call sees no less than the one before
	defer p.mutex.Unlock()
	var now indexHeader
	if stable, whole := now.read(index); !stable || !whole {
		return false
	}
	if before := p.seen; before != nil && before.frame() > 0 {
		if now.salts() == before.salts() && now.frame() < before.frame() {
			return true
		}
		if now.isOfAnotherLog(before, log) && before.endOf(log) {
			return true // the log holds frames that this index does not know
		}
	}
	p.seen = &now
	return false
}

// isOfAnotherLog reports whether the log described by before cannot have reached the
// salts of h.
func (h *indexHeader) isOfAnotherLog(before *indexHeader, log io.ReaderAt) bool {
	if h.salts() == before.salts() {
		return false
	}
	switch passed := h.salts()[0] - before.salts()[0]; {
	case passed == 0, -passed <= mostRestarts:
		return true
	default:
		return passed > mostRestarts && !h.begins(log)
	}
}

// indexHeader is the first copy of the header.
type indexHeader [indexCopySize]byte

// read reads both copies. whole reports whether both were present, and stable whether
// they were equal, which they are unless a process is writing.
func (h *indexHeader) read(index io.ReaderAt) (stable, whole bool) {
	var both [2 * indexCopySize]byte
	if n, err := index.ReadAt(both[:], 0); n < len(both) {
		// A read error does not show that the header is missing.
		return false, err != nil && err != io.EOF
	}
	copy(h[:], both[:])
	return *h == indexHeader(both[indexCopySize:]), true
}

func (h *indexHeader) frame() int64 {
	return int64(binary.NativeEndian.Uint32(h[offsetMaxFrame:]))
}

// pagesOf returns the size of the database in pages as of the last commit, or 0 if the
// index does not tell.
func pagesOf(index io.ReaderAt) int64 {
	var header indexHeader
	if stable, _ := header.read(index); !stable {
		return 0
	}
	return int64(binary.NativeEndian.Uint32(header[offsetPages:]))
}

// salts returns the salts, in the byte order of the log.
func (h *indexHeader) salts() [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(h[offsetSalt:]), binary.BigEndian.Uint32(h[offsetSalt+4:])}
}

func (h *indexHeader) pageSize() int64 {
	if size := binary.NativeEndian.Uint16(h[offsetPageSize:]); size != largestPageAsOne {
		return int64(size)
	}
	return largestPage
}

// begins reports whether the header of log has the same salts. SQLite writes the header
// with the first frame after each restart, and counts that frame in the index
// afterwards.
func (h *indexHeader) begins(log io.ReaderAt) bool {
	var salts [8]byte
	if n, err := log.ReadAt(salts[:], logSalt); n < len(salts) {
		return err != nil && err != io.EOF
	}
	return salts == [8]byte(h[offsetSalt:])
}

// endOf reports whether the last frame that the index names is in log, with the same
// salts and checksum.
func (h *indexHeader) endOf(log io.ReaderAt) bool {
	var frame [frameHeaderSize]byte
	at := logHeaderSize + (h.frame()-1)*(frameHeaderSize+h.pageSize())
	if n, err := log.ReadAt(frame[:], at); n < len(frame) {
		return err != nil && err != io.EOF
	}
	var want [16]byte
	copy(want[:8], h[offsetSalt:]) // as bytes, like the log's
	for i := range 2 {
		sum := binary.NativeEndian.Uint32(h[offsetChecksum+4*i:])
		binary.BigEndian.PutUint32(want[8+4*i:], sum)
	}
	return want == [16]byte(frame[frameSalt:])
}
