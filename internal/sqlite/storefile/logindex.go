package storefile

import (
	"encoding/binary"
	"io"
	"sync"
)

// The header of the log's index: two copies of the same 48 bytes, in the
// machine's byte order (https://www.sqlite.org/walformat.html, section 2.1).
const (
	indexCopySize   = 48
	indexHeaderSize = 136 // both copies, and where checkpoints and readers are

	offsetPageSize = 14
	offsetMaxFrame = 16
	offsetPages    = 20
	offsetChecksum = 24
	offsetSalt     = 32
)

// The log: a header, then frames of a header and a page each (section 1 of
// https://www.sqlite.org/fileformat.html#the_write_ahead_log).
const (
	logHeaderSize    = 32
	logSalt          = 16
	frameHeaderSize  = 24
	frameSalt        = 8
	frameChecksum    = 16
	largestPage      = 65536
	largestPageAsOne = 1 // how the index writes it
)

// indexLooks bounds how often the index is read while others change it.
const indexLooks = 1000

// fit says how a log and its index go together.
type fit int

const (
	fits    fit = iota
	differs     // the log does not end with the frame that the index says is the last
	emptied     // the index has no header: it is new, or it was emptied
)

// ends compares the end of a log with the frame that index says is the last: they fit
// where both have the same salt, which changes each time the log starts again, and the
// same checksum, which runs over all frames of the log. The beginning of the log must have
// that salt, too: behind its new frames, a log that has started again still holds those of
// before. An index that others are changing
// all the time, and one that a process died over, are let through.
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
			return fits // all is in the database; what the log holds is not used any more
		}
		if header.begins(log) && header.endOf(log) {
			return fits
		}
		// The log may have started again in between, and then the index has changed.
		before := header
		if stable, whole := header.read(index); whole && stable && header == before {
			return differs
		}
	}
	return fits
}

// mostRestarts bounds how often a log starts again between two looks at its index.
const mostRestarts = 1 << 20

// past remembers how far a log had come when its index was last looked at.
type past struct {
	mutex sync.Mutex
	seen  *indexHeader
}

// wentBack reports an index that says less than it has said before, as one that was put
// back from a copy does: it fits the beginning of the log, and what was committed behind
// that would be overwritten. While a log has the same salts its frames become only more.
// One that starts again counts the first salt up, so an index with a lower one is of a log
// of before, if this log still is the one that was seen. Salts that are far away are of
// another log, unless the log begins with them: who writes the first frame behind a start that
// another connection began, and died over, gives the log new random salts (walFrames in
// SQLite's wal.c).
func (p *past) wentBack(index, log io.ReaderAt) bool {
	p.mutex.Lock() // from the look on: who looks later sees no less
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
			return true // the log holds what this index knows nothing of
		}
	}
	p.seen = &now
	return false
}

// isOfAnotherLog reports that the log of before cannot have come to the salts of h.
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

// indexHeader is the first copy.
type indexHeader [indexCopySize]byte

// read reports whether both copies were there, and whether they were the same,
// which they are but while somebody writes.
func (h *indexHeader) read(index io.ReaderAt) (stable, whole bool) {
	var both [2 * indexCopySize]byte
	if n, err := index.ReadAt(both[:], 0); n < len(both) {
		// An error of the disk says nothing about what is there.
		return false, err != nil && err != io.EOF
	}
	copy(h[:], both[:])
	return *h == indexHeader(both[indexCopySize:]), true
}

func (h *indexHeader) frame() int64 {
	return int64(binary.NativeEndian.Uint32(h[offsetMaxFrame:]))
}

// pagesOf returns how many pages the database has as of the last commit, and 0
// where the index does not tell.
func pagesOf(index io.ReaderAt) int64 {
	var header indexHeader
	if stable, _ := header.read(index); !stable {
		return 0
	}
	return int64(binary.NativeEndian.Uint32(header[offsetPages:]))
}

// salts are in the order of the log's bytes.
func (h *indexHeader) salts() [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(h[offsetSalt:]), binary.BigEndian.Uint32(h[offsetSalt+4:])}
}

func (h *indexHeader) pageSize() int64 {
	if size := binary.NativeEndian.Uint16(h[offsetPageSize:]); size != largestPageAsOne {
		return int64(size)
	}
	return largestPage
}

// begins reports whether the header of log has the same salts. SQLite writes it with the
// first frame behind each start, and counts that frame in the index afterwards.
func (h *indexHeader) begins(log io.ReaderAt) bool {
	var salts [8]byte
	if n, err := log.ReadAt(salts[:], logSalt); n < len(salts) {
		return err != nil && err != io.EOF
	}
	return salts == [8]byte(h[offsetSalt:])
}

// endOf reports whether the frame of log that is to be the last one is.
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
