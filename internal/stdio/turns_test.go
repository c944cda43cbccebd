package stdio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/stdio"
)

// queued is a queue of calls whose handlers return only when the test lets them.
type queued struct {
	t     *testing.T
	turns *stdio.Turns
	begun map[string]chan struct{} // by call that has started: close the channel to let the call return
}

func newQueued(t *testing.T) *queued {
	return &queued{t: t, turns: stdio.NewTurns(func(tool string) bool { return tool == "check_messages" }), begun: map[string]chan struct{}{}}
}

func callID(t *testing.T, id string) jsonrpc.ID {
	t.Helper()
	made, err := jsonrpc.MakeID(id)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// arrive reads a call of the given tool.
func (q *queued) arrive(id, tool string) {
	q.turns.Arrived(&jsonrpc.Request{ID: callID(q.t, id), Method: "tools/call", Params: []byte(fmt.Sprintf(`{"name":%q}`, tool))})
}

// handle passes the call to its handler.
func (q *queued) handle(ctx context.Context, id string) {
	handler := q.turns.InOrder()(func(context.Context, string, mcp.Request) (mcp.Result, error) {
		returned := make(chan struct{})
		q.begun[id] = returned
		<-returned
		return nil, nil
	})
	go func() {
		ctx := stdio.WithRequestID(ctx, callID(q.t, id))
		if _, err := handler(ctx, "tools/call", &mcp.CallToolRequest{}); err != nil && !errors.Is(err, context.Canceled) {
			q.t.Error(err)
		}
	}()
	synctest.Wait()
}

func (q *queued) finish(id string) {
	close(q.begun[id])
	synctest.Wait()
}

func (q *queued) settle(id string) {
	q.turns.Settled(callID(q.t, id))
	synctest.Wait()
}

func (q *queued) wantBegun(when, id string, want bool) {
	q.t.Helper()
	if _, got := q.begun[id]; got != want {
		q.t.Errorf("%s: %s has begun: %t, want %t", when, id, got, want)
	}
}

// TestACallThatNeverRanLetsNobodyPast checks that a call that ends without having run still
// keeps its place: later calls wait for the calls before it.
func TestACallThatNeverRanLetsNobodyPast(t *testing.T) {
	tests := []struct {
		name string
		drop func(q *queued)
	}{
		{"refused before its handler", func(q *queued) { q.settle("second") }},
		{"cancelled in the queue", func(q *queued) {
			ctx, cancel := context.WithCancel(q.t.Context())
			q.handle(ctx, "second")
			cancel()
			synctest.Wait()
			q.settle("second")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueued(t)
				for _, id := range []string{"first", "second", "third"} {
					q.arrive(id, "send_to_partner")
				}
				q.handle(t.Context(), "first")
				tt.drop(q)
				q.handle(t.Context(), "third")
				q.wantBegun("while the first runs", "third", false)
				q.finish("first")
				q.wantBegun("behind the first", "third", true)
				q.finish("third")
			})
		})
	}
}

// TestALateSettlementIsNotTakenForTheNextCall checks reuse of an id: a client may reuse an
// id as soon as it has read the answer, which can be before the transport settles the first
// request.
func TestALateSettlementIsNotTakenForTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueued(t)
		q.arrive("again", "send_to_partner")
		q.handle(t.Context(), "again")
		q.finish("again")
		delete(q.begun, "again")
		q.arrive("slow", "send_to_partner")
		q.arrive("again", "send_to_partner")
		q.settle("again")
		q.handle(t.Context(), "slow")
		q.handle(t.Context(), "again")
		q.wantBegun("while an earlier call runs", "again", false)
		q.finish("slow")
		q.wantBegun("behind it", "again", true)
		q.finish("again")
	})
}
