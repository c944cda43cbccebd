package postgres_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// wire is a proxy between a store and its server. It counts requests, and cuts a
// connection after a given number of messages from the server
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
type wire struct {
	listener net.Listener
	server   string // the server's socket
	open     sync.WaitGroup

	mutex sync.Mutex
	asked int      // how often the client waited for an answer
	after int      // messages to pass before the cut; -1 for no cut
	from  net.Conn // the connection to be cut: the first that gets an answer
}

// socket is the file name of a server's socket for the default port.
const socket = ".s.PGSQL.5432"

// tap puts a wire in front of a server, and returns the connection string of a schema
// through it.
func tap(t *testing.T, dsn string) (_ *wire, through string) {
	t.Helper()
	dir := t.TempDir()
	folder, _, _ := strings.Cut(strings.SplitAfter(dsn, "host=")[1], "&")
	w := &wire{server: filepath.Join(folder, socket), after: -1}
	var err error
	if w.listener, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	w.open.Go(w.accept)
	t.Cleanup(func() {
		_ = w.listener.Close()
		w.open.Wait()
	})
	return w, strings.Replace(dsn, "host="+folder, "host="+dir, 1)
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", w.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		end := func() { _, _ = client.Close(), server.Close() }
		w.open.Go(func() {
			defer end()
			w.carry(server, client, 0, func(kind byte) bool {
				w.mutex.Lock()
				defer w.mutex.Unlock()
				if kind == 'S' || kind == 'Q' { // Sync, Query
					w.asked++
				}
				return true
			})
		})
		w.open.Go(func() {
			defer end()
			w.carry(client, server, 1, func(byte) bool { return w.passes(server) })
		})
	}
}

// carry copies messages as long as pass allows. The first message of a client has no
// type byte.
func (w *wire) carry(to io.Writer, from io.Reader, kinds int, pass func(kind byte) bool) {
	for head := make([]byte, 5); ; kinds = 1 {
		if _, err := io.ReadFull(from, head[1-kinds:]); err != nil {
			return
		}
		size := int64(binary.BigEndian.Uint32(head[1:])) - 4
		if kinds == 1 && !pass(head[0]) {
			return
		}
		if _, err := to.Write(head[1-kinds:]); err != nil {
			return
		}
		if _, err := io.CopyN(to, from, size); err != nil {
			return
		}
	}
}

// passes reports whether the next message from a server may pass.
func (w *wire) passes(from net.Conn) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.after < 0 {
		return true
	}
	if w.from == nil {
		w.from = from
	}
	if w.from != from {
		return true
	}
	w.after--
	return w.after >= 0
}

// cut cuts the next connection used after a number of messages.
func (w *wire) cut(after int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.after, w.from = after, nil
}

// uncut ends cutting, and reports whether a connection was cut.
func (w *wire) uncut() (done bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	done = w.after < 0
	w.after = -1
	return done
}

// quiet returns a service without doorbells, so that the wire carries only what a send
// waits for.
func quiet(t *testing.T, dsn string) *bridge.Service {
	t.Helper()
	key := bridgetest.NewEnv(t).Key
	return bridge.New(bridge.Config{Store: open(t, dsn, key), Key: key})
}

// TestSendAsksSeldom counts how often a send waits for the server.
func TestSendAsksSeldom(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	const most = 3
	w, dsn := tap(t, server.Schema())
	s := quiet(t, dsn)
	p := bridgetest.NewPair(t, s)
	fewest := 1000 // other requests are made besides, such as for the spine
	for range 20 { // the first ones also prepare their statements
		w.mutex.Lock()
		w.asked = 0
		w.mutex.Unlock()
		send(t, s, p.A, "x")
		w.mutex.Lock()
		fewest = min(fewest, w.asked)
		w.mutex.Unlock()
	}
	t.Logf("a send takes %d round trips", fewest)
	if fewest > most {
		t.Errorf("a send takes %d round trips, want %d at most", fewest, most)
	}
}

// TestCutConnection cuts the connection of a send before each message of the server. An
// acknowledged message must be stored once; one with an unknown outcome may be stored;
// any other failed one must not be.
func TestCutConnection(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	w, dsn := tap(t, server.Schema())
	s := quiet(t, dsn)
	p := bridgetest.NewPair(t, s)
	outcomes := map[string]error{}
	for after, whole := 0, 0; whole < 3; after++ {
		send(t, s, p.A, "before") // on a connection whose statements are prepared
		text := fmt.Sprint(after)
		w.cut(after)
		_, err := s.Send(context.Background(), p.A, bridge.SendRequest{Text: text})
		if !w.uncut() {
			whole++ // all answers had arrived, or the log was sealed meanwhile
		}
		outcomes[text] = err
	}
	stored := map[string]int{}
	for {
		d, err := s.Check(context.Background(), p.B, bridge.CheckRequest{Limit: bridge.MaxPage}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Messages) == 0 {
			break
		}
		for _, m := range d.Messages {
			stored[m.Text]++
		}
		if err := s.Confirm(context.Background(), d.Claim); err != nil {
			t.Fatal(err)
		}
	}
	unknown := 0
	for text, err := range outcomes {
		switch n := stored[text]; {
		case errors.Is(err, bridge.ErrOutcomeUnknown):
			unknown++
			if n > 1 {
				t.Errorf("cut after %s messages, outcome unknown: stored %d times", text, n)
			}
		case err == nil && n != 1:
			t.Errorf("cut after %s messages, acknowledged: stored %d times", text, n)
		case err != nil && n != 0:
			t.Errorf("cut after %s messages, failed with %v: stored %d times", text, err, n)
		}
	}
	t.Logf("%d sends, outcome unknown %d times", len(outcomes), unknown)
	if unknown == 0 {
		t.Error("no cut fell into the COMMIT")
	}
	verify(t, s)
}
