//go:build unix

package cli_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/bridgetest"
)

// TestRollingGateways replaces a gateway under traffic, as an operator would: the next
// one starts, calls are sent to it, and then the old one is told to end. No call may
// fail, although none is retried and one is always waiting at the gateway that ends,
// and what was acknowledged must arrive.
func TestRollingGateways(t *testing.T) {
	t.Parallel()
	const rolls = 3
	place := install(t)
	g := place.gateway(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	writer, reader := &rolled{caller: g.caller(t, "writer")}, &rolled{caller: g.caller(t, "reader")}
	created := writer.must(ctx, t, "create_conversation", map[string]any{"my_role": "writer", "partner_role": "reader"})
	reader.must(ctx, t, "join_conversation", map[string]any{"join_code": created["join_code"]})

	var work sync.WaitGroup
	var ended, written atomic.Bool
	var sent atomic.Int64
	var received journal
	work.Go(func() {
		for !ended.Load() && !t.Failed() {
			if writer.must(ctx, t, "send_to_partner", map[string]any{"message": fmt.Sprint(sent.Load() + 1)}) != nil {
				sent.Add(1)
			}
		}
		written.Store(true)
	})
	work.Go(func() {
		for !t.Failed() {
			last := written.Load()
			data := reader.must(ctx, t, "check_messages", map[string]any{"wait_seconds": 1})
			received.note(data)
			if messages, _ := data["messages"].([]any); last && len(messages) == 0 {
				return
			}
		}
	})
	waiter := g.caller(t, "waiter")
	(&rolled{caller: waiter}).must(ctx, t, "create_conversation", map[string]any{"my_role": "waiter", "partner_role": "nobody"})
	old := g
	for range rolls {
		waited := g.wait(ctx, t, waiter)
		next := &runningGateway{place: place, roots: g.roots}
		next.start(t)
		t.Cleanup(next.kill)
		address, _ := next.address.Load().(string)
		g.address.Store(address) // where callers connect from now on
		writerAt, readerAt := writer.begun.Load(), reader.begun.Load()
		bridgetest.Eventually(t, "calls at the next gateway", func() bool {
			return t.Failed() || writer.begun.Load() > writerAt+1 && reader.begun.Load() > readerAt+1
		})
		old.end(t)
		if err := <-waited; err != nil {
			t.Errorf("the call that waited at the gateway that ended: %v", err)
		}
		old = next
	}
	ended.Store(true)
	work.Wait()
	if sent.Load() == 0 {
		t.Error("nothing was sent")
	}
	for _, problem := range received.problems(sent.Load()) {
		t.Error(problem)
	}
	t.Logf("%d gateways one after the other, %d messages sent, %d calls, none failed", rolls+1, sent.Load(), writer.begun.Load()+reader.begun.Load())
}

// wait makes a caller wait for mail that never arrives, on its own connection, and
// returns when the request has been written.
func (g *runningGateway) wait(ctx context.Context, t *testing.T, c *caller) <-chan error {
	t.Helper()
	alone := *c
	alone.web = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.roots, MinVersion: tls.VersionTLS12}}}
	begun, waited := make(chan struct{}), make(chan error, 1)
	trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(begun) }}
	go func() {
		_, err := alone.call(httptrace.WithClientTrace(ctx, trace), "check_messages", map[string]any{"wait_seconds": 50})
		waited <- err
	}()
	select {
	case <-begun:
	case <-ctx.Done():
		t.Error("the request was never written")
	}
	return waited
}

// rolled is a caller that counts its calls and never retries.
type rolled struct {
	*caller
	begun atomic.Int64
}

func (r *rolled) must(ctx context.Context, t *testing.T, tool string, arguments map[string]any) map[string]any {
	r.begun.Add(1)
	data, err := r.call(ctx, tool, arguments)
	if err != nil {
		t.Errorf("%s: %v", tool, err)
	}
	return data
}

// end tells the gateway to end, and waits for it.
func (g *runningGateway) end(t *testing.T) {
	t.Helper()
	if err := g.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	g.reading.Wait()
	if err := g.process.Wait(); err != nil {
		t.Errorf("the gateway ended with %v:\n%s", err, g.log.String())
	}
}
