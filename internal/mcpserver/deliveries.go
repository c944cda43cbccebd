package mcpserver

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"example.org/bridge/internal/bridge"
)

// deliveries ties the messages in an answer to the delivery of that answer. They count as
// read once its last byte was written, and go back into the inbox if it cannot be written.
// Until then their claim is renewed, so that no other process delivers them. If this
// process is killed, the claim expires.
type deliveries struct {
	bridge Bridge
	log    *slog.Logger

	mu     sync.Mutex
	open   map[jsonrpc.ID][]*delivery // several if one request made several calls
	ending map[*delivery]struct{}     // written or lost, but not yet recorded in the store
	done   sync.WaitGroup
	// live, if not nil, holds the requests that can still be answered.
	live map[jsonrpc.ID]bool
}

type delivery struct {
	claims []bridge.Claim
	stop   context.CancelFunc // stops their renewal, even one that is waiting for the store
	ended  chan struct{}      // closed when the messages count as read or are back in the inbox
}

func newDeliveries(b Bridge, log *slog.Logger) *deliveries {
	return &deliveries{bridge: b, log: log, open: map[jsonrpc.ID][]*delivery{}, ending: map[*delivery]struct{}{}}
}

// begin takes over the claims of the answer to the given request. It returns false if that
// request can no longer be answered.
func (d *deliveries) begin(id jsonrpc.ID, claims []bridge.Claim) bool {
	claims = slices.DeleteFunc(slices.Clone(claims), func(c bridge.Claim) bool { return c.ID == 0 })
	if len(claims) == 0 {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live != nil && !d.live[id] {
		return false
	}
	ctx, stop := context.WithCancel(context.Background())
	under := &delivery{claims: claims, stop: stop, ended: make(chan struct{})}
	d.open[id] = append(d.open[id], under)
	d.done.Add(1)
	go func() {
		defer d.done.Done()
		d.renew(ctx, claims)
	}()
	return true
}

// expect records a request that will be answered, until settled is called for it.
func (d *deliveries) expect(id jsonrpc.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live == nil {
		d.live = map[jsonrpc.ID]bool{}
	}
	d.live[id] = true
}

// renewFor is how long a client may take to read an answer. After that, the messages can be
// delivered to another call, as if the process had been killed.
const renewFor = 30 * time.Second

// Time limits for the calls that end a delivery: for one answer, and at the end of the
// process.
const (
	finishWithin = 10 * time.Second
	closeWithin  = 300 * time.Millisecond
)

// settleWithin is how long a check waits for earlier answers.
const settleWithin = time.Second

// settle waits until the answers in progress have been written and their messages count as
// read. A client that has read an answer may check again immediately; without settle, the
// next page would lack the messages that are still being recorded, and deliver later
// messages first. It gives up after settleWithin, since a client may also check again
// before it reads.
func (d *deliveries) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for _, under := range d.underWay() {
		select {
		case <-under.ended:
		case <-ctx.Done():
			return
		}
	}
}

func (d *deliveries) underWay() []*delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.Collect(maps.Keys(d.ending))
	for _, under := range d.open {
		all = append(all, under...)
	}
	return all
}

func (d *deliveries) renew(ctx context.Context, claims []bridge.Claim) {
	ticker := time.NewTicker(bridge.RenewEvery)
	defer ticker.Stop()
	for range int(renewFor / bridge.RenewEvery) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, claim := range claims {
				if err := d.bridge.Renew(ctx, claim); err != nil && ctx.Err() == nil {
					d.log.Warn("could not renew a claim: its messages may be delivered twice, marked redelivered", "error", err)
				}
			}
		}
	}
}

// settled is called by the transport with the outcome of the answer to a request.
func (d *deliveries) settled(resp *jsonrpc.Response, written bool) {
	d.mu.Lock()
	all := d.open[resp.ID]
	delete(d.open, resp.ID)
	delete(d.live, resp.ID)
	for _, under := range all {
		d.ending[under] = struct{}{}
	}
	d.mu.Unlock()
	for _, under := range all {
		d.settleOne(under, written && resp.Error == nil)
	}
}

func (d *deliveries) settleOne(under *delivery, delivered bool) {
	defer d.ended(under)
	under.stop()
	ctx, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	d.finish(ctx, under.claims, delivered)
}

// ended signals that the end of a delivery is recorded in the store.
func (d *deliveries) ended(under *delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ending, under)
	close(under.ended)
}

func (d *deliveries) finish(ctx context.Context, claims []bridge.Claim, delivered bool) {
	end, what := d.bridge.GiveBack, "could not give messages back immediately: they will be delivered again in a few seconds"
	if delivered {
		end, what = d.bridge.Confirm, "could not mark messages as read: they will be delivered again, marked redelivered"
	}
	for _, claim := range claims {
		if err := end(ctx, claim); err != nil {
			d.log.Error(what, "conversation", claim.Conversation, "error", err)
		}
	}
}

// close gives back the messages that no answer will deliver, and waits for renewals to end.
func (d *deliveries) close() {
	d.mu.Lock()
	left := d.open
	d.open = map[jsonrpc.ID][]*delivery{}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	for _, under := range slices.Concat(slices.Collect(maps.Values(left))...) {
		under.stop()
		d.finish(ctx, under.claims, false)
	}
	d.done.Wait()
}
