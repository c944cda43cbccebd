package stdio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	// maxFrame is the maximum length of a line, in bytes without its newline.
	maxFrame = 8 << 20
	// keptPrefix is how many bytes of a longer line are kept, to find its id in.
	keptPrefix = 64 << 10
	// keptBuffer is the largest buffer, in bytes, that is reused for the next line.
	keptBuffer = 1 << 20
)

// errFrameTooLong is returned with the first keptPrefix bytes of a line longer than
// maxFrame.
var errFrameTooLong = errors.New("frame too long")

// lineReader splits a stream into lines in bounded memory: a line that is too long is
// discarded as it is read.
type lineReader struct {
	in  *bufio.Reader
	buf []byte
}

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, keptPrefix)}
}

// next returns the next line without its newline. The line is valid until the next call.
// The last line need not end in a newline. The error is errFrameTooLong, after which the
// next line can be read, or the error that ended the stream.
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

// discard skips the rest of a line for which ReadSlice has just returned err.
func (r *lineReader) discard(err error) error {
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.in.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return errFrameTooLong
}
