package dirstate_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/dirstate"
)

// TestSettled checks that a time counts only if it is more than one tick of its
// clock in the past.
func TestSettled(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	for _, c := range []struct {
		name       string
		time, read time.Time
		want       bool
	}{
		{"the same moment", at.Add(1), at.Add(1), false},
		{"within a tick", at.Add(1), at.Add(10 * time.Millisecond), false},
		{"long ago", at.Add(1), at.Add(time.Second), true},
		{"in the future", at.Add(time.Hour + 1), at, false},
		{"a clock of seconds", at, at.Add(900 * time.Millisecond), false},
		{"a clock of two seconds", at, at.Add(1900 * time.Millisecond), false},
		{"whole seconds, long ago", at, at.Add(4 * time.Second), true},
	} {
		if got := dirstate.Settled(c.time.UnixNano(), c.read.UnixNano()); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		for _, s := range []dirstate.Stamp{
			{Modified: c.time.UnixNano(), Changed: at.Add(-time.Hour).UnixNano()},
			{Changed: c.time.UnixNano(), Modified: at.Add(-time.Hour).UnixNano()},
		} {
			if got := s.Settled(c.read.UnixNano()); got != c.want {
				t.Errorf("%s: a folder: %v", c.name, got)
			}
		}
	}
}

func folders() []dirstate.Folder {
	return []dirstate.Folder{
		{Stamp: dirstate.Stamp{Device: 1, Inode: 2, Modified: 3, Changed: 4}, Folders: []string{"a", "b c", "\xff\n"}, Blocks: 4096},
		{Stamp: dirstate.Stamp{Device: math.MaxUint64, Inode: math.MaxUint64, Modified: math.MinInt64, Changed: math.MaxInt64}, Marked: true},
		{Stamp: dirstate.Stamp{Inode: 1, Modified: -1}, Linked: true, Blocks: -1},
	}
}

// TestFind checks that a folder is found if it is unchanged, and not if one
// part differs.
func TestFind(t *testing.T) {
	var s dirstate.Seen
	for _, f := range folders() {
		s.Add(f)
	}
	for _, f := range folders() {
		got, ok := s.Find(f.Stamp)
		if !ok || cmp.Diff(f, *got) != "" {
			t.Errorf("%+v is found as %+v, %v", f, got, ok)
		}
		for i, change := range []func(*dirstate.Stamp){
			func(s *dirstate.Stamp) { s.Device ^= 1 << 40 }, func(s *dirstate.Stamp) { s.Inode ^= 1 << 40 },
			func(s *dirstate.Stamp) { s.Modified++ }, func(s *dirstate.Stamp) { s.Changed++ },
		} {
			other := f.Stamp
			change(&other)
			if got, ok := s.Find(other); ok {
				t.Errorf("change %d of %+v finds %+v", i, f.Stamp, got)
			}
		}
	}
	if _, ok := (*dirstate.Seen)(nil).Find(dirstate.Stamp{}); ok {
		t.Error("nothing has a folder")
	}
	s.Add(dirstate.Folder{Marked: true})
	if _, ok := s.Find(dirstate.Stamp{}); ok {
		t.Error("a folder without a stamp is relied on")
	}
}

// TestSeenIsBounded checks that the memory of a Seen is limited.
func TestSeenIsBounded(t *testing.T) {
	var s dirstate.Seen
	for i := range uint64(200_000) {
		s.Add(dirstate.Folder{Stamp: dirstate.Stamp{Inode: i + 1}})
	}
	if n := s.Len(); n != 1<<17 {
		t.Errorf("%d folders are kept", n)
	}
	s = dirstate.Seen{}
	for i := range uint64(10) {
		s.Add(dirstate.Folder{Stamp: dirstate.Stamp{Inode: i + 1}, Folders: []string{strings.Repeat("x", 3<<20)}})
	}
	if n := s.Len(); n != 5 {
		t.Errorf("%d folders with 3 MiB of names each are kept", n)
	}
}

// TestHandedOn checks that decoding gives what was encoded.
func TestHandedOn(t *testing.T) {
	var s, got dirstate.Seen
	for _, f := range folders() {
		s.Add(f)
	}
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := got.UnmarshalBinary(data); err != nil || got.Len() != s.Len() {
		t.Fatal(got.Len(), err)
	}
	for _, f := range folders() {
		if there, ok := got.Find(f.Stamp); !ok || cmp.Diff(f, *there) != "" {
			t.Errorf("%+v arrives as %+v", f, there)
		}
	}
	for end := range data {
		if got.UnmarshalBinary(data[:end]) != nil && got.Len() != 0 {
			t.Errorf("%d of %d bytes are refused, and %d folders are taken", end, len(data), got.Len())
		}
	}
}

// FuzzHandedOn decodes arbitrary data. It must not panic, nor use more memory than
// there are bytes.
func FuzzHandedOn(f *testing.F) {
	var s dirstate.Seen
	for _, folder := range folders() {
		s.Add(folder)
	}
	data, err := s.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Add([]byte("\x00" + strconv.Itoa(math.MaxInt64)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s, again dirstate.Seen
		if s.UnmarshalBinary(data) != nil {
			return
		}
		if s.Len() > len(data) {
			t.Fatalf("%d folders of %d bytes", s.Len(), len(data))
		}
		text, err := s.MarshalBinary()
		if err != nil || again.UnmarshalBinary(text) != nil || again.Len() != s.Len() {
			t.Fatalf("%d folders are handed on as %d", s.Len(), again.Len())
		}
	})
}
