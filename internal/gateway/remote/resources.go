package remote

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/resources"
)

// ReadResource reads the resource with a URI. The URI is redacted like any other text, so
// that a URI that contains a secret matches nothing.
func (c *Conn) ReadResource(ctx context.Context, all []bridge.Credentials, uri string) (out resources.Content, err error) {
	if len(uri) > resources.MaxURI {
		uri = uri[:resources.MaxURI+1] // rejected by the gateway in any case
	}
	c.hide(&uri)
	_, err = c.do(ctx, request{name: "ReadResource", arguments: []any{all, uri}, again: true}, &out)
	return out, err
}

// ListResources lists the resources that sessions may read.
func (c *Conn) ListResources(ctx context.Context, all []bridge.Credentials) (out []resources.Listed, err error) {
	_, err = c.do(ctx, request{name: "ListResources", arguments: []any{all}, again: true}, &out)
	return out, err
}

// WatchResources waits for a change. If a gateway shuts down, it continues with the next
// one.
func (c *Conn) WatchResources(ctx context.Context, all []resources.Watched, known []string, wait time.Duration, drain <-chan struct{}) (out []string, err error) {
	err = c.await(ctx, wait, drain, func(ctx context.Context, wait time.Duration) (fate, error) {
		out = nil
		return c.do(ctx, request{name: "WatchResources", arguments: []any{all, known, bounded(wait)}, again: true, single: true, wait: bounded(wait)}, &out)
	})
	return out, err
}
