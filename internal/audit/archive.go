package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"time"
)

// An archive is a file with entries that were cut off the front of a log:
//
//	the line "bridge audit archive 1"
//	frames: one byte for the kind, the length of the rest in 4 bytes, the rest
//	  'B'  where the entries begin: key ID, number, number in the spine, HMAC
//	  'C'  before the first entry of a chain that began earlier: its name and end
//	  'E'  an entry
//	  'Z'  the end: number of entries, last number, and an HMAC over the whole file
//
// Numbers are big endian and take 8 bytes; texts are preceded by their length in 4
// bytes. The same entries always give the same bytes. The format has no compression
// or optional parts, and the HMAC at the end covers every byte.
const (
	archiveMagic = "bridge audit archive 1\n"

	frameBegin, frameChain, frameEntry, frameEnd = 'B', 'C', 'E', 'Z'

	// maxFrame limits how much of a file is kept in memory, in bytes. An entry is far
	// smaller.
	maxFrame = 16 << 20
)

// ErrNoArchive reports a file that is not an archive of this log: it is another file, was
// made with another key, or was changed.
var ErrNoArchive = errors.New("this is not an archive of this audit log")

// keyID distinguishes archives made with other keys from archives that were
// changed.
func (c Chain) keyID() []byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte("which key"))
	return mac.Sum(nil)[:8]
}

func (c Chain) fileMAC() hash.Hash {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte("archive file"))
	return mac
}

// ArchiveWriter writes an archive. It keeps no entries in memory.
type ArchiveWriter struct {
	chain   Chain
	base    Base
	out     *bufio.Writer
	mac     hash.Hash // over everything written
	sum     hash.Hash
	bytes   int64
	entries int64
	last    Head
	begun   map[string]bool // chains whose beginning was written
}

// NewArchive begins an archive of the entries after base. Call End after the last
// entry.
func (c Chain) NewArchive(w io.Writer, base Base) (*ArchiveWriter, error) {
	a := &ArchiveWriter{
		chain: c, base: base, mac: c.fileMAC(), sum: sha256.New(), last: Head{Seq: base.Seq, MAC: base.MAC}, begun: map[string]bool{},
	}
	a.out = bufio.NewWriterSize(io.MultiWriter(w, a.sum, a.mac), 64<<10)
	if err := a.write([]byte(archiveMagic)); err != nil {
		return nil, err
	}
	begin := appendNumbers(a.chain.keyID(), base.Seq, base.Link)
	return a, a.frame(frameBegin, appendField(begin, string(base.MAC)))
}

func (a *ArchiveWriter) write(b []byte) error {
	a.bytes += int64(len(b))
	_, err := a.out.Write(b)
	return err
}

func (a *ArchiveWriter) frame(kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		return fmt.Errorf("an entry of %d bytes does not go into an archive", len(payload))
	}
	return errors.Join(a.write(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))), a.write(payload))
}

// Add writes the next entry, which the caller must have verified.
func (a *ArchiveWriter) Add(e Entry) error {
	if e.Chain != "" && !a.begun[e.Chain] {
		a.begun[e.Chain] = true
		if head, ok := a.base.Chains[e.Chain]; ok && e.Chain != Spine {
			if err := a.frame(frameChain, appendField(appendField(appendNumbers(nil, head.Seq), e.Chain), string(head.MAC))); err != nil {
				return err
			}
		}
	}
	a.entries++
	a.last = Head{Seq: e.Seq, MAC: e.MAC}
	return a.frame(frameEntry, encodeEntry(e))
}

// End ends the archive and describes its content. The caller has to set the file's name,
// the time and the seal.
func (a *ArchiveWriter) End() (made Archived, err error) {
	if err := a.out.Flush(); err != nil { // so that the HMAC covers everything
		return made, err
	}
	end := appendNumbers(nil, a.entries, a.last.Seq)
	a.mac.Write(end)
	if err := errors.Join(a.frame(frameEnd, append(end, a.mac.Sum(nil)...)), a.out.Flush()); err != nil {
		return made, err
	}
	return Archived{First: a.base.Seq + 1, Last: a.last.Seq, MAC: a.last.MAC, Bytes: a.bytes, SHA256: a.sum.Sum(nil)}, nil
}

func appendNumbers(buf []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		buf = binary.BigEndian.AppendUint64(buf, uint64(n))
	}
	return buf
}

func encodeEntry(e Entry) []byte {
	buf := appendNumbers(make([]byte, 0, 512), e.Seq, e.Link, e.Time.UnixMicro())
	for _, field := range [...]string{e.Chain, e.Conversation, e.Session, e.Action, e.Outcome, e.Details, string(e.MAC)} {
		buf = appendField(buf, field)
	}
	return buf
}

// ReadArchive reads an archive completely and checks it: each entry against its chain
// before visit gets it, and the whole file at the end. In memory it keeps one entry and
// the end of each chain. begin may be nil; it is called with the start of the entries. The
// entries must contain the noted heads in their range. The error wraps ErrNoArchive if the
// file is not as it was written.
func (c Chain) ReadArchive(from io.Reader, begin func(Base) error, visit func(Entry) error, noted ...Head) (Archived, error) {
	r := &archiveReader{chain: c, verifier: c.Verifier(noted...), mac: c.fileMAC(), sum: sha256.New(), visit: visit}
	r.in = bufio.NewReaderSize(from, 64<<10)
	if err := r.open(begin); err != nil {
		return Archived{}, err
	}
	for {
		done, err := r.next()
		if err != nil {
			return Archived{}, err
		}
		if done {
			return r.made, nil
		}
	}
}

type archiveReader struct {
	chain    Chain
	in       *bufio.Reader
	verifier *Verifier
	mac, sum hash.Hash
	bytes    int64
	entries  int64
	first    int64
	visit    func(Entry) error
	frame    bytes.Buffer // the last one read
	made     Archived
}

func (r *archiveReader) changed(format string, args ...any) error {
	return fmt.Errorf("%w: it was changed, or is incomplete: "+format, append([]any{ErrNoArchive}, args...)...)
}

// hash adds the bytes read to the HMAC, except those of the end frame, which contains the
// HMAC.
func (r *archiveReader) hash(b []byte, end bool) {
	r.bytes += int64(len(b))
	r.sum.Write(b)
	if !end {
		r.mac.Write(b)
	}
}

func (r *archiveReader) open(begin func(Base) error) error {
	var magic [len(archiveMagic)]byte
	if _, err := io.ReadFull(r.in, magic[:]); err != nil || string(magic[:]) != archiveMagic {
		return fmt.Errorf("%w: name a file that `bridge audit archive` made", ErrNoArchive)
	}
	r.hash(magic[:], false)
	kind, payload, err := r.read()
	if err != nil {
		return err
	}
	d := decoder{payload}
	id := d.bytes(8)
	base := Base{Head: Head{Seq: d.number()}, Link: d.number()}
	base.MAC = []byte(d.text())
	switch {
	case kind != frameBegin || !d.done() || base.Seq < 0 || base.Link < 0:
		return r.changed("its beginning cannot be read")
	case !hmac.Equal(id, r.chain.keyID()):
		return fmt.Errorf("%w: it was made with the key of another store", ErrNoArchive)
	}
	r.first = base.Seq + 1
	if begin != nil {
		if err := begin(base); err != nil {
			return err
		}
	}
	return r.verifier.start(base)
}

// read reads a frame. It allocates no more memory than there is data.
func (r *archiveReader) read() (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return kind, nil, r.cut(err)
	}
	kind = head[0]
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxFrame {
		return kind, nil, r.changed("a part of it has %d bytes", size)
	}
	r.frame.Reset()
	if _, err := io.CopyN(&r.frame, r.in, int64(size)); err != nil {
		return kind, nil, r.cut(err)
	}
	payload = r.frame.Bytes()
	r.hash(head[:], kind == frameEnd)
	r.hash(payload, kind == frameEnd)
	return kind, payload, nil
}

// cut returns the error for a file that ends too early or cannot be read.
func (r *archiveReader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.changed("it ends after entry %d", r.verifier.Last().Seq)
	}
	return err
}

// next reads and checks the next frame.
func (r *archiveReader) next() (done bool, err error) {
	kind, payload, err := r.read()
	if err != nil {
		return false, err
	}
	d := decoder{payload}
	switch kind {
	case frameChain:
		head := Head{Seq: d.number()}
		name := d.text()
		head.MAC = []byte(d.text())
		if !d.done() || !r.verifier.beginChain(name, head) {
			return false, r.changed("the beginning of a chain after entry %d", r.verifier.Last().Seq)
		}
		return false, nil
	case frameEntry:
		return false, r.entry(&d)
	case frameEnd:
		return true, r.end(&d)
	}
	return false, r.changed("what follows entry %d is not an entry", r.verifier.Last().Seq)
}

func (r *archiveReader) entry(d *decoder) error {
	e := Entry{Seq: d.number(), Link: d.number(), Time: time.UnixMicro(d.number()).UTC()}
	for _, field := range [...]*string{&e.Chain, &e.Conversation, &e.Session, &e.Action, &e.Outcome, &e.Details} {
		*field = d.text()
	}
	e.MAC = []byte(d.text())
	if !d.done() {
		return r.changed("the entry after %d cannot be read", r.verifier.Last().Seq)
	}
	if err := r.verifier.Next(e); err != nil {
		return r.changed("%w", err)
	}
	r.entries++
	return r.visit(e)
}

func (r *archiveReader) end(d *decoder) error {
	said := d.bytes(16)
	sum := d.bytes(sha256.Size)
	if !d.done() {
		return r.changed("its end cannot be read")
	}
	n := decoder{said}
	entries, last := n.number(), n.number()
	r.mac.Write(said)
	head := r.verifier.Last()
	switch {
	case !hmac.Equal(sum, r.mac.Sum(nil)):
		return r.changed("its HMAC does not match")
	case entries != r.entries || last != head.Seq || entries == 0:
		return r.changed("it says that it has %d entries, the last of them %d", entries, last)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return r.changed("there is data after its end")
	}
	if err := r.verifier.endArchive(); err != nil {
		return r.changed("%w", err)
	}
	r.made = Archived{First: r.first, Last: head.Seq, MAC: head.MAC, Bytes: r.bytes, SHA256: r.sum.Sum(nil)}
	return nil
}

// beginChain sets where a chain continues. It returns false if the chain is already
// known.
func (v *Verifier) beginChain(name string, head Head) bool {
	s := &v.spine
	if s.chains == nil {
		s.chains, s.digest, s.number = map[string]Head{}, sha256.New(), v.previous.Seq
	}
	if _, known := s.chains[name]; known || name == "" || name == Spine || head.Seq < 1 {
		return false
	}
	s.chains[name] = head
	return true
}

// endArchive checks that the log may be cut here.
func (v *Verifier) endArchive() error {
	switch {
	case v.spine.number > v.previous.Seq:
		return &Fault{Seq: v.previous.Seq + 1, Problem: "the spine does not cover it"}
	case v.spine.missed > 0:
		return &Fault{Seq: v.spine.missed, Problem: "not the entry that the noted head names: the log was replaced by another"}
	}
	return nil
}

// decoder takes fields off the front of a frame. After a field that does not fit, done
// returns false.
type decoder struct{ rest []byte }

var undecodable = []byte(nil)

func (d *decoder) bytes(n int) []byte {
	if d.rest == nil || n > len(d.rest) {
		d.rest = undecodable
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) number() int64 {
	b := d.bytes(8)
	if b == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (d *decoder) text() string {
	b := d.bytes(4)
	if b == nil {
		return ""
	}
	n := binary.BigEndian.Uint32(b)
	if n > math.MaxInt32 {
		d.rest = undecodable
		return ""
	}
	return string(d.bytes(int(n)))
}

// done reports whether all fields were there, and nothing else.
func (d *decoder) done() bool { return d.rest != nil && len(d.rest) == 0 }
