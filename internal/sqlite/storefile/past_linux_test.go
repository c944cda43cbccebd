package storefile_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"testing"

	"example.org/bridge/internal/sqlite/storefile"
)

// TestWentBack checks that an index may only describe more frames than before, or a
// restarted log.
func TestWentBack(t *testing.T) {
	type state struct{ salt, frames uint32 }
	tests := []struct {
		name        string
		before, now state
		want        bool
		begins      uint32 // the salt in the log's header, if it differs from the one before
	}{
		{"the same", state{7, 5}, state{7, 5}, false, 0},
		{"more", state{7, 5}, state{7, 6}, false, 0},
		{"fewer", state{7, 5}, state{7, 4}, true, 0},
		{"no frames any more", state{7, 5}, state{7, 0}, true, 0},
		{"begins again", state{7, 5}, state{8, 0}, false, 0},
		{"restarted twice", state{7, 5}, state{9, 2}, false, 0},
		{"counts over", state{1<<32 - 1, 5}, state{0, 0}, false, 0},
		{"from before a restart", state{7, 5}, state{6, 0}, true, 0},
		{"of a log that was not written", state{1 << 31, 5}, state{0, 0}, true, 0},
		{"was empty", state{7, 0}, state{0, 0}, false, 0},
		{"of the log before, with frames", state{7, 2}, state{6, 5}, true, 0},
		{"of the log before, with as many frames", state{7, 5}, state{6, 5}, true, 0},
		{"of another log, with frames", state{1 << 31, 2}, state{0, 5}, true, 0},
		{"restarted by two connections, of which the first was killed", state{7, 5}, state{1 << 30, 2}, false, 1 << 30},
		{"of another log after a kill", state{7, 5}, state{1 << 29, 2}, true, 1 << 30},
		{"of the log before, after a restart", state{7, 5}, state{6, 2}, true, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := fakeLog(tt.before.salt, tt.before.frames)
			binary.BigEndian.PutUint32(log[16:], cmp.Or(tt.begins, tt.before.salt))
			binary.BigEndian.PutUint32(log[20:], 1)
			looks := storefile.Looks(bytes.NewReader(log), fakeIndex(tt.before.salt, tt.before.frames), fakeIndex(tt.now.salt, tt.now.frames))
			if looks[0] || looks[1] != tt.want {
				t.Errorf("got %v, want %v behind false", looks, tt.want)
			}
		})
	}
}

const (
	pageSize  = 512
	frameSize = 24 + pageSize
)

// fakeIndex returns the header of an index, twice, with second salt 1 and checksums 1.
func fakeIndex(salt, frames uint32) *bytes.Reader {
	header := make([]byte, 48)
	binary.NativeEndian.PutUint16(header[14:], pageSize)
	binary.NativeEndian.PutUint32(header[16:], frames)
	binary.NativeEndian.PutUint32(header[24:], 1)
	binary.NativeEndian.PutUint32(header[28:], 1)
	binary.BigEndian.PutUint32(header[32:], salt)
	binary.BigEndian.PutUint32(header[36:], 1)
	return bytes.NewReader(append(header, header...))
}

// fakeLog returns a log that ends as fakeIndex says.
func fakeLog(salt, frames uint32) []byte {
	log := make([]byte, 32+int(frames)*frameSize)
	if frames > 0 {
		last := log[len(log)-frameSize:]
		for i, word := range []uint32{salt, 1, 1, 1} {
			binary.BigEndian.PutUint32(last[8+4*i:], word)
		}
	}
	return log
}
