package stdio

import (
	"context"
	"encoding/json"
)

// Outlet sends notifications to a client.
type Outlet interface {
	// Notify queues a notification, as Transport.Notify does. It returns false if no more
	// notifications can reach the client.
	Notify(method string, params any) bool
	// Closing returns a channel that is closed when notifications through the outlet are to
	// end, or nil if they end only with the process.
	Closing() <-chan struct{}
}

// Closing implements Outlet. It returns nil: a transport lives as long as its process.
func (t *Transport) Closing() <-chan struct{} { return nil }

// outletKey is the context key of the outlet for a request that did not come through a
// Transport.
type outletKey struct{}

// WithOutlet returns a context from which a handler can obtain the outlet for its client,
// and the id of its request as the client wrote it. The function is called when a handler
// needs them. It returns nil if the client can receive nothing but its answer.
func WithOutlet(ctx context.Context, outlet func() (Outlet, json.RawMessage)) context.Context {
	return context.WithValue(ctx, outletKey{}, outlet)
}

// OutletOf returns the values set by WithOutlet, or false if there are none.
func OutletOf(ctx context.Context) (o Outlet, wire json.RawMessage, ok bool) {
	outlet, ok := ctx.Value(outletKey{}).(func() (Outlet, json.RawMessage))
	if !ok {
		return nil, nil, false
	}
	o, wire = outlet()
	return o, wire, o != nil
}
