package wire

import "bytes"

// Classify reports whether a line is an answer, and what is wrong with it.
func Classify(line []byte) (isAnswer bool, wrong string) {
	_, kind, wrong := classify(line)
	return kind == answer, wrong
}

// Events returns the data of all events of a stream.
func Events(stream []byte) (all [][]byte) {
	events := newEvents(bytes.NewReader(stream))
	for {
		data, err := events.next()
		if err != nil {
			return all
		}
		all = append(all, data)
	}
}
