package remote_test

import (
	"context"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/mcpserver"
)

var (
	_ operations       = bridgetest.Served{}
	_ mcpserver.Bridge = (*remote.Conn)(nil)
)

// operations is the interface that a gateway offers.
type operations interface {
	mcpserver.Bridge
	operation.Beside
}

// world is a store with a gateway, and a network path to it that can be cut.
type world struct {
	env       *bridgetest.Env
	served    bridgetest.Served
	keys      *access.Service
	authority *gateway.Authority
	secret    string
	way       *way
	stop      func() // stops the running gateway
	change    []func(*gateway.Options)
}

func newWorld(t *testing.T, changes ...func(*gateway.Options)) *world {
	t.Helper()
	e := bridgetest.NewEnv(t)
	served := e.Served(t, func(c *bridge.Config) { c.Now = time.Now })
	bridgetest.SetLimits(t, served.Service, bridge.Limits{})
	w := &world{env: e, served: served, keys: access.New(served.Service, e.Store(t), e.Key), way: newWay(t), change: changes}
	w.authority = must(gateway.NewAuthority(e.Key))(t)
	var err error
	if _, w.secret, err = w.keys.Add(t.Context(), "laptop", access.Agent, time.Hour); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	return w
}

// options returns the options of a gateway on the store.
func (w *world) options() gateway.Options {
	o := gateway.Options{
		Keys: w.keys, Bridge: w.served, Operations: reflect.TypeFor[operations](),
		Ready:        func(ctx context.Context) error { _, err := w.served.StoreTime(ctx); return err },
		Certificates: w.authority.Issue([]string{"127.0.0.1"}), Names: []string{"127.0.0.1"}, Version: "test",
		Endpoint: func(access.Key) gateway.Endpoint {
			e := mcpserver.NewEndpoint(w.served, mcpserver.Options{})
			return gateway.Endpoint{MCP: e.MCP, Expect: e.Expect, Settled: e.Settled, Forget: e.Forget, Drain: e.Drain, Close: e.Close}
		},
	}
	for _, change := range w.change {
		change(&o)
	}
	return o
}

// start starts a gateway and directs the network path to it.
func (w *world) start(t *testing.T) {
	t.Helper()
	l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- gateway.New(w.options()).Serve(ctx, l) }()
	w.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended: %v", err)
		}
	})
	t.Cleanup(w.stop)
	w.way.leadTo(l.Addr().String())
}

// conn returns a connection that uses the network path.
func (w *world) conn(t *testing.T, changes ...func(*remote.Options)) *remote.Conn {
	t.Helper()
	o := remote.Options{Join: remote.Join{Address: w.way.address, Pin: w.authority.Pin(), Key: w.secret}}
	for _, change := range changes {
		change(&o)
	}
	c := remote.New(o)
	t.Cleanup(c.Close)
	return c
}

// way forwards connections, and can fail in all ways in which a network can.
type way struct {
	address string

	mu    sync.Mutex
	to    string
	open  map[net.Conn]bool
	gone  bool // new connections are refused
	stale bool // data from the gateway is not forwarded
}

func newWay(t *testing.T) *way {
	t.Helper()
	l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	w := &way{address: l.Addr().String(), open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.forward(from) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.set(func() { w.gone = true })
		w.cut()
		all.Wait()
	})
	return w
}

func (w *way) set(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

func (w *way) leadTo(address string) { w.set(func() { w.to = address }) }

// cut ends all connections.
func (w *way) cut() {
	w.set(func() {
		for c := range w.open {
			_ = c.Close()
		}
	})
}

func (w *way) keep(c net.Conn) (kept bool) {
	w.set(func() {
		if kept = !w.gone; kept {
			w.open[c] = true
		}
	})
	return kept
}

func (w *way) forward(from net.Conn) {
	defer func() { _ = from.Close() }()
	var address string
	w.set(func() { address = w.to })
	to, err := net.Dial("tcp", address) //nolint:noctx // ends with the way
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	if !w.keep(from) || !w.keep(to) {
		return
	}
	done := make(chan struct{}, 2)
	carry := func(to, from net.Conn, answers bool) {
		defer func() { done <- struct{}{} }()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			var swallow bool
			w.set(func() { swallow = answers && w.stale })
			if err != nil {
				return
			}
			if !swallow {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
		}
	}
	go carry(to, from, false)
	go carry(from, to, true)
	<-done
	_, _ = from.Close(), to.Close() // this ends the other direction, too
	<-done
	w.set(func() { delete(w.open, from); delete(w.open, to) })
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
