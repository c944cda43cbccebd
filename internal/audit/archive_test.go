package audit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/audit"
)

// manyChains returns a log of several chains with its spine, in the order in which a store
// returns it, and its head.
func manyChains(rounds int) (entries []audit.Entry, head audit.Head) {
	head = chain.EmptyHead()
	heads := map[string]audit.Head{}
	var spine audit.Head
	seq := int64(0)
	for round := range rounds {
		var covered []audit.Entry
		for _, name := range []string{"conv_1", "operator", fmt.Sprintf("conv_new_%d", round)} {
			e := audit.Entry{Time: time.UnixMicro(int64(1000 * round)).UTC(), Conversation: name, Session: "a", Action: "send", Outcome: "ok", Details: "{}"}
			e, heads[name] = chain.Extend(name, heads[name], e)
			seq++
			e.Seq = seq
			covered = append(covered, e)
		}
		line, next, log := chain.Cover(spine, audit.Entry{Time: time.UnixMicro(1).UTC()}, covered)
		spine, head = next, log
		entries = append(entries, append(covered, line)...)
	}
	return entries, head
}

// baseAt returns the base of a log whose first entries were cut off.
func baseAt(entries []audit.Entry) audit.Base {
	b := audit.Base{Chains: map[string]audit.Head{}}
	for _, e := range entries {
		b.Head = audit.Head{Seq: e.Seq, MAC: e.MAC}
		switch e.Chain {
		case "":
		case audit.Spine:
			b.Link = e.Link
		default:
			b.Chains[e.Chain] = audit.Head{Seq: e.Link, MAC: e.MAC}
		}
	}
	return b
}

func archiveOf(t testing.TB, base audit.Base, entries []audit.Entry) (file []byte, made audit.Archived) {
	t.Helper()
	var out bytes.Buffer
	w, err := chain.NewArchive(&out, base)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if made, err = w.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), made
}

func read(c audit.Chain, file []byte, noted ...audit.Head) (entries []audit.Entry, made audit.Archived, err error) {
	made, err = c.ReadArchive(bytes.NewReader(file), nil, func(e audit.Entry) error {
		entries = append(entries, e)
		return nil
	}, noted...)
	return entries, made, err
}

// kinds are logs of one chain and of several, each with the numbers of first entries
// that may be cut off.
func kinds() map[string]struct {
	entries []audit.Entry
	cut     int
} {
	one, _ := logOf(9)
	for i := range one {
		one[i].Time = one[i].Time.UTC()
	}
	many, _ := manyChains(3)
	return map[string]struct {
		entries []audit.Entry
		cut     int
	}{"one chain": {one, 4}, "several chains": {many, 4}}
}

func TestArchives(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			for _, part := range []struct {
				base    audit.Base
				entries []audit.Entry
			}{
				{audit.Base{}, kind.entries[:kind.cut]},
				{baseAt(kind.entries[:kind.cut]), kind.entries[kind.cut:]},
				{audit.Base{}, kind.entries},
			} {
				file, made := archiveOf(t, part.base, part.entries)
				got, known, err := read(chain, file, made.Head())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(part.entries, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(made, known); diff != "" {
					t.Errorf("written and read (-want +got):\n%s", diff)
				}
				if again, _ := archiveOf(t, part.base, part.entries); !bytes.Equal(file, again) {
					t.Error("the same entries give other bytes")
				}
			}
		})
	}
}

// TestChangedArchives flips each bit of an archive, truncates it after each byte,
// appends to it, and drops, repeats and swaps its parts.
func TestChangedArchives(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			file, made := archiveOf(t, baseAt(kind.entries[:kind.cut]), kind.entries[kind.cut:])
			refuse := func(what string, changed []byte) {
				t.Helper()
				if bytes.Equal(changed, file) {
					return
				}
				if _, _, err := read(chain, changed); !errors.Is(err, audit.ErrNoArchive) {
					t.Errorf("%s: got %v", what, err)
				}
			}
			for at := range file {
				for bit := range 8 {
					changed := slices.Clone(file)
					changed[at] ^= 1 << bit
					refuse(fmt.Sprintf("bit %d of byte %d", bit, at), changed)
				}
				refuse(fmt.Sprintf("cut off at %d", at), file[:at])
			}
			refuse("something added", append(slices.Clone(file), 0))
			parts := split(t, file)
			for i := range parts {
				refuse(fmt.Sprint("without part ", i), join(slices.Concat(parts[:i], parts[i+1:])))
				refuse(fmt.Sprint("twice part ", i), join(slices.Concat(parts[:i+1], parts[i:])))
				for k := range i {
					swapped := slices.Clone(parts)
					swapped[i], swapped[k] = swapped[k], swapped[i]
					refuse(fmt.Sprint("swapped ", i, k), join(swapped))
				}
			}
			if _, _, err := read(audit.NewChain([]byte("another key")), file); !errors.Is(err, audit.ErrNoArchive) || !strings.Contains(err.Error(), "another store") {
				t.Errorf("with another key: %v", err)
			}
			if _, _, err := read(chain, file, audit.Head{Seq: made.Last, MAC: []byte("another sixteen b")}); err == nil {
				t.Error("another head passes as noted")
			}
		})
	}
}

// split splits an archive into its first line and its frames.
func split(t *testing.T, file []byte) (parts [][]byte) {
	t.Helper()
	line := bytes.IndexByte(file, '\n') + 1
	parts, file = [][]byte{file[:line]}, file[line:]
	for len(file) > 0 {
		end := 5 + int(binary.BigEndian.Uint32(file[1:5]))
		parts, file = append(parts, file[:end]), file[end:]
	}
	return parts
}

func join(parts [][]byte) []byte { return slices.Concat(parts...) }

// TestArchiveEndsAtTheSpine checks that an archive cannot end with entries that
// the spine does not cover.
func TestArchiveEndsAtTheSpine(t *testing.T) {
	entries, _ := manyChains(2)
	file, _ := archiveOf(t, audit.Base{}, entries[:len(entries)-1])
	if _, _, err := read(chain, file); !errors.Is(err, audit.ErrNoArchive) {
		t.Errorf("got %v", err)
	}
}

// TestArchiveOfNothing checks that an archive without entries is refused, even if its
// HMAC is correct.
func TestArchiveOfNothing(t *testing.T) {
	entries, _ := manyChains(2)
	for name, base := range map[string]audit.Base{"at the beginning": {}, "behind entries": baseAt(entries)} {
		file, _ := archiveOf(t, base, nil)
		if _, _, err := read(chain, file); !errors.Is(err, audit.ErrNoArchive) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestBase cuts a log and verifies the rest.
func TestBase(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			base := baseAt(kind.entries[:kind.cut])
			base.Archives = []audit.Archived{
				chain.SealArchived(audit.Archived{First: 1, Last: base.Seq - 1, MAC: []byte("x"), Name: "one", At: time.UnixMicro(5)}),
				chain.SealArchived(audit.Archived{First: base.Seq, Last: base.Seq, MAC: base.MAC, Name: "two", At: time.UnixMicro(6)}),
			}
			base = chain.SealBase(base)
			follow := func(base audit.Base, noted ...audit.Head) error {
				v := chain.Verifier(noted...)
				if err := v.Begin(base); err != nil {
					return err
				}
				for _, e := range kind.entries[kind.cut:] {
					if err := v.Next(e); err != nil {
						return err
					}
				}
				return nil
			}
			if err := follow(base, base.Head); err != nil {
				t.Fatal(err)
			}
			var fault *audit.Fault
			for what, change := range map[string]func(b *audit.Base){
				"number":             func(b *audit.Base) { b.Seq-- },
				"HMAC":               func(b *audit.Base) { b.MAC = []byte("other") },
				"spine":              func(b *audit.Base) { b.Link++ },
				"seal":               func(b *audit.Base) { b.Seal = b.MAC },
				"seal of a head":     func(b *audit.Base) { _, h := logOf(int(b.Seq)); b.Seal = h.Seal },
				"none":               func(b *audit.Base) { *b = audit.Base{Archives: b.Archives} },
				"archive removed":    func(b *audit.Base) { b.Archives = b.Archives[1:] },
				"archives removed":   func(b *audit.Base) { b.Archives = nil },
				"last removed":       func(b *audit.Base) { b.Archives = b.Archives[:1] },
				"archive's name":     func(b *audit.Base) { b.Archives = slices.Clone(b.Archives); b.Archives[0].Name = "x" },
				"archive's digest":   func(b *audit.Base) { b.Archives = slices.Clone(b.Archives); b.Archives[0].SHA256 = []byte{1} },
				"archive's size":     func(b *audit.Base) { b.Archives = slices.Clone(b.Archives); b.Archives[1].Bytes++ },
				"archive's time":     func(b *audit.Base) { b.Archives = slices.Clone(b.Archives); b.Archives[1].At = time.UnixMicro(7) },
				"archives exchanged": func(b *audit.Base) { b.Archives = []audit.Archived{b.Archives[1], b.Archives[0]} },
			} {
				changed := base
				change(&changed)
				if err := follow(changed); !errors.As(err, &fault) {
					t.Errorf("%s: got %v", what, err)
				}
			}
			if err := follow(base, audit.Head{Seq: base.Seq, MAC: []byte("not that entry's")}); !errors.As(err, &fault) {
				t.Errorf("another noted head: got %v", err)
			}
		})
	}
}

var archiveBytes = flag.Int64("audit.archive", 16<<20, "how many bytes the archive of TestLargeArchive has")

// TestLargeArchive checks that reading a large archive does not keep it in
// memory.
func TestLargeArchive(t *testing.T) {
	in, out := io.Pipe()
	entry := audit.Entry{
		Time: time.UnixMicro(1), Conversation: "conv_0123456789abcdef", Session: "a", Action: "send_to_partner", Outcome: "ok",
		Details: `{"note":"` + strings.Repeat("x", 400) + `"}`,
	}
	go func() {
		w, err := chain.NewArchive(out, audit.Base{})
		head := chain.EmptyHead()
		for n := int64(0); err == nil && n*500 < *archiveBytes; n++ {
			var e audit.Entry
			e, head = chain.Append(head, entry)
			err = w.Add(e)
		}
		if err == nil {
			_, err = w.End()
		}
		_ = out.CloseWithError(err) // nil is a regular end
	}()
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	largest, entries := uint64(0), 0
	made, err := chain.ReadArchive(in, nil, func(audit.Entry) error {
		if entries++; entries%4096 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			largest = max(largest, during.HeapAlloc)
		}
		return nil
	})
	if err != nil || made.Bytes < *archiveBytes {
		t.Fatalf("%d bytes, %v", made.Bytes, err)
	}
	t.Logf("%d entries, %d MiB: at most %d KiB more of the heap", entries, made.Bytes>>20, (int64(largest)-int64(before.HeapAlloc))>>10)
	if largest > before.HeapAlloc+4<<20 {
		t.Errorf("reading took %d bytes of memory", largest-before.HeapAlloc)
	}
}

// TestHostileLengths checks that a length beyond the end of the file allocates
// no memory.
func TestHostileLengths(t *testing.T) {
	file, _ := archiveOf(t, audit.Base{}, kinds()["one chain"].entries)
	line := bytes.IndexByte(file, '\n') + 1
	for _, size := range []uint32{16 << 20, 16<<20 + 1, 1 << 31, 1<<32 - 1} {
		changed := slices.Clone(file)
		binary.BigEndian.PutUint32(changed[line+1:], size)
		got := testing.AllocsPerRun(1, func() {
			if _, _, err := read(chain, changed); !errors.Is(err, audit.ErrNoArchive) {
				t.Errorf("%d: got %v", size, err)
			}
		})
		if got > 200 {
			t.Errorf("%d: %v allocations", size, got)
		}
	}
}

func FuzzReadArchive(f *testing.F) {
	for _, kind := range kinds() {
		file, _ := archiveOf(f, baseAt(kind.entries[:kind.cut]), kind.entries[kind.cut:])
		f.Add(file)
		f.Add(file[:len(file)/2])
		whole, _ := archiveOf(f, audit.Base{}, kind.entries)
		f.Add(whole)
	}
	f.Add([]byte("bridge audit archive 1\n"))
	f.Add([]byte("bridge audit archive 1\nB\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var base audit.Base
		var entries []audit.Entry
		made, err := chain.ReadArchive(bytes.NewReader(file), func(b audit.Base) error {
			base = b
			return nil
		}, func(e audit.Entry) error {
			entries = append(entries, e)
			return nil
		})
		switch {
		case err != nil && !errors.Is(err, audit.ErrNoArchive):
			t.Errorf("got %v", err)
		case err == nil && (made.First != base.Seq+1 || int64(len(file)) != made.Bytes || len(entries) == 0):
			t.Errorf("%+v of %d bytes from %d", made, len(file), base.Seq)
		}
	})
}
