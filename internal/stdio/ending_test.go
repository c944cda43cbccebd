package stdio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/stdio"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

func TestRequestsBeforeEOFAreAnswered(t *testing.T) {
	var input strings.Builder
	input.WriteString(hello("2025-06-18"))
	var want []string
	for i := range 50 {
		fmt.Fprintf(&input, "\n%s\n%s", ping(fmt.Sprint(2*i)), callTool(fmt.Sprint(2*i+1), "wait", `"x"`))
		want = append(want, fmt.Sprintf("%d ok", 2*i), fmt.Sprintf("%d ok", 2*i+1))
	}
	if got := briefs(t, input.String()); !sameSet(got, want) {
		t.Errorf("answers %q", got)
	}
}

func TestEOFReleasesLongPolls(t *testing.T) {
	y := newToy()
	c := dial(t.Context(), t, y)
	c.send(callTool("1", "wait", `"mail"`))
	<-y.started
	_ = c.in.Close()
	if got := c.receive().text(); got != "released mail" {
		t.Errorf("the long poll answered %q", got)
	}
	if err := <-c.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if diff := cmp.Diff(map[any]bool{"hello": true, int64(1): true}, c.settled.byID()); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
}

func TestGraceAfterEOFEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newToy()
		var settled settlements
		var out bytes.Buffer
		input := hello("2025-06-18") + "\n" + callTool("1", "wait", `""`)
		err := stdio.Serve(t.Context(), y.server(), &stdio.Transport{In: strings.NewReader(input), Out: &out, Settled: settled.add})
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
		if diff := cmp.Diff(map[any]bool{"hello": true, int64(1): false}, settled.byID()); diff != "" {
			t.Errorf("settled (-want +got):\n%s", diff)
		}
	})
}

// A machine that is slow to record the outcome of an answer must not be reported as a
// client that does not read. Here the process has done all the work that was requested.
func TestSlowSettlementIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newToy()
		var settled settlements
		slowly := func(r *jsonrpc.Response, written bool) {
			time.Sleep(time.Second) // fake clock of the bubble
			settled.add(r, written)
		}
		input := hello("2025-06-18") + "\n" + callTool("1", "wait", `""`)
		err := stdio.Serve(t.Context(), y.server(), &stdio.Transport{In: strings.NewReader(input), Out: io.Discard, Settled: slowly})
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
		if diff := cmp.Diff(map[any]bool{"hello": true, int64(1): false}, settled.byID()); diff != "" {
			t.Errorf("settled (-want +got):\n%s", diff)
		}
	})
}

// An outcome that is never recorded must not keep the process alive: not when its input has
// ended, and for at most a second when it is told to stop.
func TestEndlessSettlementIsLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		stop bool
		most time.Duration
	}{
		"input ended":  {false, 20 * time.Second},
		"told to stop": {true, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				never := make(chan struct{})
				defer close(never)
				inR, inW := io.Pipe()
				defer func() { _ = inW.Close() }()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				y := newToy()
				server := y.server()
				done := make(chan error, 1)
				go func() {
					done <- stdio.Serve(ctx, server, &stdio.Transport{In: inR, Out: io.Discard, Settled: func(*jsonrpc.Response, bool) { <-never }})
				}()
				_, _ = io.WriteString(inW, ping("1")+"\n")
				synctest.Wait()
				start := time.Now()
				if tt.stop {
					cancel()
				} else {
					_ = inW.Close()
				}
				if err := <-done; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Serve: %v", err)
				}
				if took := time.Since(start); took >= tt.most {
					t.Errorf("Serve took %v", took)
				}
			})
		})
	}
}

// lateReads simulates a process that is not scheduled until all its time limits have
// passed, and only then sees the end of its input.
type lateReads struct{ io.Reader }

func (lateReads) SetReadDeadline(time.Time) error {
	time.Sleep(time.Minute) // fake clock of the bubble
	return os.ErrNoDeadline
}

// A session that has ended is reported as ended, even if the time limit has also passed by
// the time it is checked: a select over both channels would pick one at random.
func TestEndFoundLateIsAnEnd(t *testing.T) {
	const draws = 50
	t.Run("writer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for range draws {
				inR, inW := io.Pipe()
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				err := stdio.Serve(ctx, newToy().server(), &stdio.Transport{In: lateReads{inR}, Out: io.Discard})
				_ = inW.Close()
				if err != nil {
					t.Fatalf("Serve: %v", err)
				}
			}
		})
	})
	t.Run("handlers", func(t *testing.T) {
		stopped := make(chan struct{})
		close(stopped)
		for range draws {
			waited := make(chan error, 1)
			waited <- io.ErrUnexpectedEOF
			if err := stdio.AwaitHandlers(stopped, waited); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("got %v, want what the session ended with", err)
			}
		}
	})
}

func TestHandlerThatNeverReturnsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newToy()
		defer close(y.stubborn)
		var settled settlements
		input := hello("2025-06-18") + "\n" + callTool("1", "ignore", `""`)
		err := stdio.Serve(t.Context(), y.server(), &stdio.Transport{In: strings.NewReader(input), Out: io.Discard, Settled: settled.add})
		if err == nil {
			t.Error("Serve returned nil while a request was running")
		}
		if diff := cmp.Diff(map[any]bool{"hello": true, int64(1): false}, settled.byID()); diff != "" {
			t.Errorf("settled (-want +got):\n%s", diff)
		}
	})
}

func TestShutdownEndsLongPolls(t *testing.T) {
	for name, change := range map[string]func(*stdio.Transport){
		"drained":   func(*stdio.Transport) {},
		"cancelled": func(transport *stdio.Transport) { transport.Draining = nil },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			y := newToy()
			c := dial(ctx, t, y, change)
			c.send(callTool("1", "wait", `"x"`))
			<-y.started
			cancel() // the input stays open
			if got := c.receive().brief(); got != "1 ok" {
				t.Errorf("the long poll was answered with %s", got)
			}
			if err := <-c.done; err != nil {
				t.Errorf("Serve: %v", err)
			}
			if fates := c.settled.byID(); !fates[int64(1)] {
				t.Errorf("settled %v", fates)
			}
		})
	}
}

// The input is never closed and cannot be interrupted.
func TestShutdownWithSilentClient(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := dial(ctx, t, newToy())
	cancel()
	if err := <-c.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestShutdownInterruptsTheReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	in := &countedReader{File: r, returned: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stdio.Serve(ctx, newToy().server(), &stdio.Transport{In: in, Out: io.Discard}); err != nil {
		t.Errorf("Serve: %v", err)
	}
	select {
	case <-in.returned:
	default:
		t.Error("Serve left its reader behind")
	}
}

// countedReader reports when its Read has returned.
type countedReader struct {
	*os.File
	returned chan struct{}
}

func (r *countedReader) Read(p []byte) (int, error) {
	defer close(r.returned)
	return r.File.Read(p)
}

func TestDrainingIsCalledOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	transport := &stdio.Transport{In: strings.NewReader(ping("1")), Out: io.Discard, Draining: func() { calls++; cancel() }}
	if err := stdio.Serve(ctx, newToy().server(), transport); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if calls != 1 {
		t.Errorf("Draining was called %d times", calls)
	}
}

func TestBrokenOutputEndsTheSession(t *testing.T) {
	short := func(p []byte) (int, error) { return len(p) - 1, nil }
	gone := func([]byte) (int, error) { return 0, io.ErrClosedPipe }
	for name, write := range map[string]writerFunc{"closed": gone, "short": short} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testBrokenOutput(t, write) })
		})
	}
}

func testBrokenOutput(t *testing.T, write writerFunc) {
	t.Helper()
	y := newToy() // never drained: the session must not wait for its pending long polls
	inR, inW := io.Pipe()
	defer func() { _ = inW.Close() }()
	var settled settlements
	failures := 0
	out := writerFunc(func(p []byte) (int, error) {
		if !bytes.Contains(p, []byte(`"id":9`)) && failures == 0 {
			return len(p), nil
		}
		failures++
		time.Sleep(time.Second) // fake clock of the bubble: until the next answer is ready
		return write(p)
	})
	server := y.server()
	done := make(chan error, 1)
	go func() {
		done <- stdio.Serve(t.Context(), server, &stdio.Transport{In: inR, Out: out, Settled: settled.add})
	}()
	_, _ = io.WriteString(inW, hello("2025-06-18")+"\n"+callTool("1", "wait", `""`)+"\n")
	<-y.started
	_, _ = io.WriteString(inW, ping("9")+"\n")
	synctest.Wait()
	_, _ = io.WriteString(inW, ping("10")+"\n")

	start := time.Now()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("the session ended %v after it broke", took)
	}
	if failures != 1 {
		t.Errorf("%d writes to a broken output", failures)
	}
	want := map[any]bool{"hello": true, int64(1): false, int64(9): false, int64(10): false}
	if diff := cmp.Diff(want, settled.byID()); diff != "" || settled.count() != len(want) {
		t.Errorf("settled %d (-want +got):\n%s", settled.count(), diff)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestSlowClientGetsItsLastAnswer(t *testing.T) {
	for name, takes := range map[string]time.Duration{
		"soon": 5 * time.Second,
		// Shortly after the time limit for answers; a slow machine may need that long.
		"late": 10*time.Second + 250*time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) { testSlowClient(t, takes) })
	}
}

func testSlowClient(t *testing.T, takes time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		inR, inW := io.Pipe()
		out := writerFunc(func(p []byte) (int, error) {
			_ = inW.Close() // the input ends while the answer is being written
			time.Sleep(takes)
			return len(p), nil
		})
		go func() { _, _ = io.WriteString(inW, ping("1")+"\n") }()
		var settled settlements
		if err := stdio.Serve(t.Context(), newToy().server(), &stdio.Transport{In: inR, Out: out, Settled: settled.add}); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if diff := cmp.Diff(map[any]bool{int64(1): true}, settled.byID()); diff != "" {
			t.Errorf("settled (-want +got):\n%s", diff)
		}
	})
}

func TestDeafClientDoesNotHoldTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newToy()
		var settled settlements
		outR, outW := io.Pipe()
		input := hello("2025-06-18") + "\n" + ping("1")
		err := stdio.Serve(t.Context(), y.server(), &stdio.Transport{In: strings.NewReader(input), Out: outW, Settled: settled.add})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Serve: %v", err)
		}
		_ = outR.Close()
		synctest.Wait()
		if diff := cmp.Diff(map[any]bool{"hello": false, int64(1): false}, settled.byID()); diff != "" {
			t.Errorf("settled (-want +got):\n%s", diff)
		}
	})
}

// SIGTERM must end the process within a second, whatever it is doing.
func TestShutdownIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name, request string
		stuck         bool
	}{
		{"a handler that never returns", callTool("1", "ignore", `""`), false},
		{"a client that never reads", ping("1"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newToy()
				defer close(y.stubborn)
				inR, inW := io.Pipe()
				outR, outW := io.Pipe()
				defer func() { _ = errors.Join(inW.Close(), outR.Close()) }()
				if !tt.stuck {
					go func() { _, _ = io.Copy(io.Discard, outR) }()
				}
				ctx, cancel := context.WithCancel(t.Context())
				server := y.server()
				done := make(chan error, 1)
				go func() { done <- stdio.Serve(ctx, server, &stdio.Transport{In: inR, Out: outW}) }()
				_, _ = io.WriteString(inW, hello("2025-06-18")+"\n"+tt.request+"\n")
				synctest.Wait()

				start := time.Now() // fake clock of the bubble, so exact
				cancel()
				if err := <-done; err == nil {
					t.Error("Serve returned nil with work undone")
				}
				if took := time.Since(start); took >= time.Second {
					t.Errorf("Serve took %v", took)
				}
			})
		})
	}
}
