package stdio

import (
	"context"
	"encoding/json"
)

// Outlet takes notifications to a client.
type Outlet interface {
	// Notify queues a notification, as Transport.Notify does. It reports false where
	// the client will hear nothing any more.
	Notify(method string, params any) bool
	// Closing is closed when what is told through the outlet is to end; nil where only
	// the end of the process is its end.
	Closing() <-chan struct{}
}

// Closing implements Outlet: a transport ends with its process.
func (t *Transport) Closing() <-chan struct{} { return nil }

// outletKey is the context key of the outlet of a request that came without a Transport.
type outletKey struct{}

// WithOutlet returns a context in which a handler finds where notifications go for the
// client of its request, and the request's id as the client wrote it. The function is
// called when a handler needs them; it returns nil where the client can be told nothing
// but its answer.
func WithOutlet(ctx context.Context, outlet func() (Outlet, json.RawMessage)) context.Context {
	return context.WithValue(ctx, outletKey{}, outlet)
}

// OutletOf returns what WithOutlet put into the context, and false where there is nothing.
func OutletOf(ctx context.Context) (o Outlet, wire json.RawMessage, ok bool) {
	outlet, ok := ctx.Value(outletKey{}).(func() (Outlet, json.RawMessage))
	if !ok {
		return nil, nil, false
	}
	o, wire = outlet()
	return o, wire, o != nil
}
