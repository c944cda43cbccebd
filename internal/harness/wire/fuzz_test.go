package wire_test

import (
	"bytes"
	"testing"

	"example.org/bridge/internal/harness/wire"
)

// FuzzClassify checks that no line of a server causes a panic, and that a line that is not
// a message is never taken for an answer.
func FuzzClassify(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}`, `{"jsonrpc":"2.0","method":"ping","id":"a"}`,
		`[]`, `[INFO] ready`, `{`, "", `null`, `{"id":null,"result":1}`, `{"result":{},"error":{}}`, "{\"a\":\"\xff\"}", `{"a":"\"[[["}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		answer, wrong := wire.Classify(line)
		if answer && !bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) {
			t.Errorf("%q was taken for an answer (%s)", line, wrong)
		}
	})
}

// FuzzEvents checks that no event stream causes a panic or yields more data than it
// contains.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"data: {}\n\n", "event: a\ndata: 1\ndata: 2\n\n", "data:", "\n\n\n", ": comment\r\ndata: x\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		total := 0
		for _, data := range wire.Events(stream) {
			total += len(data)
		}
		if total > len(stream) {
			t.Errorf("%d bytes came out of %d", total, len(stream))
		}
	})
}
