package mcpserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/mcpserver"
)

// TestCallsTakeEffectInOrder pipes calls without waiting for answers: long and
// short messages in turn, which take different times to handle, and a check that
// waits, which must not hold up what comes behind it.
func TestCallsTakeEffectInOrder(t *testing.T) {
	s := bridgetest.New(t)
	lines := []string{
		line(1, "initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "x", "version": "1"}}),
		line(2, "tools/call", map[string]any{"name": "create_conversation", "arguments": map[string]any{"my_role": "backend", "partner_role": "frontend"}}),
		line(3, "tools/call", map[string]any{"name": "check_messages", "arguments": map[string]any{"wait_seconds": 50}}),
	}
	var want []string
	for i := range 20 {
		text := fmt.Sprint("message ", i)
		if i%2 == 0 {
			text += strings.Repeat(" and more words", 2000)
		}
		want = append(want, text)
		lines = append(lines, line(10+i, "tools/call", map[string]any{"name": "send_to_partner", "arguments": map[string]any{"message": text}}))
	}
	answers := dialogue(t, s, lines...)
	for id, a := range answers {
		if strings.Contains(string(a), `"isError":true`) {
			t.Errorf("%s: %s", id, a)
		}
	}
	conversations, err := s.Conversations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	messages, err := s.Messages(t.Context(), conversations[0].ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range messages {
		got = append(got, m.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored in another order (-sent +stored):\n%.500s", diff)
	}
}

// queued is a queue of calls whose handlers a test lets return one by one.
type queued struct {
	t     *testing.T
	turns mcpserver.Turns
	begun map[string]chan struct{} // of the calls that have begun: close it to let one return
}

func newQueued(t *testing.T) *queued {
	return &queued{t: t, turns: mcpserver.NewTurns(), begun: map[string]chan struct{}{}}
}

func callID(t *testing.T, id string) jsonrpc.ID {
	t.Helper()
	made, err := jsonrpc.MakeID(id)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// arrive reads the call of a tool.
func (q *queued) arrive(id, tool string) {
	q.turns.Arrived(&jsonrpc.Request{ID: callID(q.t, id), Method: "tools/call", Params: []byte(fmt.Sprintf(`{"name":%q}`, tool))})
}

// handle gives the call to its handler.
func (q *queued) handle(ctx context.Context, id string) {
	handler := q.turns.InOrder()(func(context.Context, string, mcp.Request) (mcp.Result, error) {
		returned := make(chan struct{})
		q.begun[id] = returned
		<-returned
		return nil, nil
	})
	go func() {
		req := &mcp.CallToolRequest{Extra: &mcp.RequestExtra{Header: http.Header{"Request-Id": {fmt.Sprintf("%q", id)}}}}
		if _, err := handler(ctx, "tools/call", req); err != nil && !errors.Is(err, context.Canceled) {
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

// TestACallThatNeverRanLetsNobodyPast: it waited for the calls before it, and so
// does what waits for it.
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

// TestALateSettlementIsNotTakenForTheNextCall: a client may use an id again as
// soon as it has read the answer, which is before the transport settles it.
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
