package connlimit_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"example.org/bridge/internal/connlimit"
)

// TestListener checks that connections beyond the limit are closed, existing ones are
// not affected, and a closed connection makes room for one other.
func TestListener(t *testing.T) {
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := connlimit.Listener(inner, 2)
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	closed := func(c net.Conn) bool {
		_, err := c.Read(make([]byte, 1))
		return errors.Is(err, io.EOF) || err != nil
	}
	dial()
	first := <-accepted
	second := dial()
	kept := <-accepted
	if !closed(dial()) {
		t.Error("a third connection is open")
	}
	for range 2 { // closing twice makes room only once
		_ = first.Close()
	}
	dial()
	again := <-accepted
	if !closed(dial()) {
		t.Error("closing twice made room for two")
	}
	if _, err := kept.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(second, make([]byte, 1)); err != nil {
		t.Errorf("one that was there is gone: %v", err)
	}
	_ = again.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, more := <-accepted; more {
		t.Error("one more was accepted")
	}
}

// TestCloseWrite checks that the answer of a server that has not read the whole
// request arrives, although the client sends more.
func TestCloseWrite(t *testing.T) {
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := connlimit.Listener(inner, 1)
	defer l.Close() //nolint:errcheck // nothing is left of it
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // read to its end
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // read to its end
	if _, err := server.Write([]byte("too long")); err != nil {
		t.Fatal(err)
	}
	half, ok := server.(interface{ CloseWrite() error })
	if !ok {
		t.Fatal("a server can only close the connection whole")
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || string(got) != "too long" {
		t.Errorf("the client read %q, %v", got, err)
	}
	if _, err := client.Write([]byte("the rest")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(server, make([]byte, len("the rest"))); err != nil {
		t.Errorf("the rest cannot be read: %v", err)
	}
}
