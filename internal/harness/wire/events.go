package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

var errTooLarge = errors.New("an event is too large")

// events reads an event stream (HTML Living Standard, section 9.2). Only the data of events
// is used.
type events struct{ lines *bufio.Reader }

func newEvents(r io.Reader) *events { return &events{bufio.NewReaderSize(r, 64<<10)} }

// next returns the data of the next event that has data.
func (e *events) next() ([]byte, error) {
	var data []byte
	for {
		line, size, err := readLine(e.lines)
		if size > maxMessage || len(data)+len(line) > maxMessage {
			return nil, errTooLarge
		}
		line = bytes.TrimRight(line, "\r\n")
		if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, bytes.TrimPrefix(rest, []byte(" "))...)
		}
		switch {
		case len(line) == 0 && len(data) > 0:
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}
