package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// BenchmarkBetweenGateways sends through one gateway to a session that waits at another,
// both using one database server with fsync enabled. It reports the time from the call of
// send until the answer with the message arrives, on an idle server and while other
// sessions send continuously.
//
//	go test ./internal/gateway -run '^$' -bench BetweenGateways -benchtime 1000x
func BenchmarkBetweenGateways(b *testing.B) {
	postgrestest.Need(b, server)
	for _, others := range []int{0, 1, 4, 16} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			own := must(postgrestest.Start())(b)
			b.Cleanup(func() { _ = own.Close() })
			dsn, key := own.Schema(), bridgetest.NewEnv(b).Key
			from, to := placeOnServer(b, dsn, key), placeOnServer(b, dsn, key)
			ctx, cancel := context.WithCancel(b.Context())
			var beside sync.WaitGroup
			for n := range others {
				f := newFlow(b, from, to, fmt.Sprintf("beside %d", n))
				beside.Go(func() { f.keepSending(ctx, b) })
			}
			f := newFlow(b, from, to, "measured")
			var took []time.Duration
			for b.Loop() {
				d, err := f.deliver(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, d)
			}
			cancel()
			beside.Wait()
			slices.Sort(took)
			for name, at := range map[string]int{"p50-ms": len(took) / 2, "p99-ms": len(took) * 99 / 100, "max-ms": len(took) - 1} {
				b.ReportMetric(float64(took[at].Microseconds())/1000, name)
			}
		})
	}
}

// flow is a session that sends at one gateway, and its partner that waits at another.
type flow struct {
	from, to caller
	key      string // id of the key
	pair     bridgetest.Pair
}

func newFlow(b *testing.B, from, to *place, name string) *flow {
	b.Helper()
	k, secret, err := from.keys.Add(b.Context(), name, access.Agent, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	return &flow{caller{from, from.web(secret)}, caller{to, to.web(secret)}, k.ID, bridgetest.NewPair(b, from.served.Service)}
}

// keepSending delivers messages until ctx ends.
func (f *flow) keepSending(ctx context.Context, b *testing.B) {
	for ctx.Err() == nil {
		if _, err := f.deliver(ctx); err != nil && ctx.Err() == nil {
			b.Error(err)
			return
		}
	}
}

// deliver makes the partner wait, sends a message, and returns how long it took to arrive.
// A message sent before the partner's call is waiting is found by that call immediately.
func (f *flow) deliver(ctx context.Context) (time.Duration, error) {
	type arrival struct {
		at  time.Time
		err error
	}
	arrived := make(chan arrival, 1)
	go func() {
		got, err := f.to.call(ctx, "check_messages", f.pair.B, map[string]any{"wait_seconds": 50})
		if messages, _ := got["messages"].([]any); err == nil && len(messages) != 1 {
			err = fmt.Errorf("%d messages came", len(messages))
		}
		arrived <- arrival{time.Now(), err}
	}()
	for f.to.place.gateway.Calls(f.key) == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(rest)
	sent := time.Now()
	if err := f.send(ctx, true); err != nil {
		return 0, err
	}
	a := <-arrived
	return a.at.Sub(sent), a.err
}

// rest is how long a call that has arrived may take until it waits.
const rest = 20 * time.Millisecond

// caller calls the tools of a gateway.
type caller struct {
	place *place
	web   *http.Client
}

func (c caller) call(ctx context.Context, tool string, as bridge.Credentials, arguments map[string]any) (map[string]any, error) {
	arguments["conversation_id"], arguments["session_id"], arguments["token"] = as.Conversation, as.Session, as.Token
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+c.place.address+"/mcp", strings.NewReader(callOf(tool, arguments)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := c.web.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Result struct {
			StructuredContent map[string]any
			IsError           bool
		}
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && (resp.StatusCode != http.StatusOK || answer.Result.IsError) {
		err = errors.New(tool + " was refused")
	}
	return answer.Result.StructuredContent, err
}

// BenchmarkSends lets 16 sessions send to one store in a file, each with MCP calls over TLS
// or directly. The difference is the cost of the connection, including the client's part.
func BenchmarkSends(b *testing.B) {
	const senders = 16
	for _, over := range []string{"store", "gateway"} {
		b.Run(over, func(b *testing.B) {
			p := newPlace(b)
			var all []*flow
			for n := range senders {
				all = append(all, newFlow(b, p, p, fmt.Sprintf("sender %d", n)))
			}
			var next atomic.Int64
			b.SetParallelism(senders)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				f := all[int(next.Add(1)-1)%senders]
				for pb.Next() {
					if err := f.send(b.Context(), over == "gateway"); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// send sends a message, by an MCP call or directly.
func (f *flow) send(ctx context.Context, call bool) error {
	const text = "Which fields does /users return?"
	if !call {
		_, err := f.from.place.served.Send(ctx, f.pair.A, bridge.SendRequest{Text: text})
		return err
	}
	_, err := f.from.call(ctx, "send_to_partner", f.pair.A, map[string]any{"message": text})
	return err
}
