package stdio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	// maxFrame is the longest line that is taken, in bytes without its newline.
	maxFrame = 8 << 20
	// keptPrefix is how much of a longer line is kept, to find its id in.
	keptPrefix = 64 << 10
	// keptBuffer is the largest buffer that is kept for the next line.
	keptBuffer = 1 << 20
)

// errFrameTooLong comes with the first keptPrefix bytes of a line over maxFrame.
var errFrameTooLong = errors.New("frame too long")

// A lineReader splits a stream into lines in bounded memory: a line that is too
// long is thrown away while it streams past.
type lineReader struct {
	in  *bufio.Reader
	buf []byte
}

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, keptPrefix)}
}

// next returns the next line without its newline; it is valid until the call
// after. The last line may lack a newline. The error is errFrameTooLong, after
// which the next line can be read, or the one that ended the stream.
func (r *lineReader) next() ([]byte, error) {
	if cap(r.buf) > keptBuffer {
		r.buf = nil
	}
	r.buf = r.buf[:0]
	for {
		chunk, err := r.in.ReadSlice('\n')
		line := bytes.TrimSuffix(chunk, []byte{'\n'})
		if len(r.buf)+len(line) > maxFrame {
			return r.buf[:keptPrefix], r.discard(err)
		}
		switch {
		case err == nil && len(r.buf) == 0:
			return line, nil // the common case: no copy
		case err == nil, errors.Is(err, io.EOF) && len(r.buf)+len(line) > 0:
			return append(r.buf, line...), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
		r.buf = append(r.buf, line...)
	}
}

// discard drops the rest of a line of which ReadSlice has just returned err.
func (r *lineReader) discard(err error) error {
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.in.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return errFrameTooLong
}
