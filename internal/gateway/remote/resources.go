package remote

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/resources"
)

// ReadResource reads what a URI stands for. A path in it is hidden as any other is, so
// that a URI with a secret in it names nothing.
func (c *Conn) ReadResource(ctx context.Context, all []bridge.Credentials, uri string) (out resources.Content, err error) {
	if len(uri) > resources.MaxURI {
		uri = uri[:resources.MaxURI+1] // refused all the same
	}
	c.hide(&uri)
	_, err = c.do(ctx, request{name: "ReadResource", arguments: []any{all, uri}, again: true}, &out)
	return out, err
}

// ListResources lists what sessions may read.
func (c *Conn) ListResources(ctx context.Context, all []bridge.Credentials) (out []resources.Listed, err error) {
	_, err = c.do(ctx, request{name: "ListResources", arguments: []any{all}, again: true}, &out)
	return out, err
}

// WatchResources waits for a change, and goes on where a gateway ends.
func (c *Conn) WatchResources(ctx context.Context, all []resources.Watched, known []string, wait time.Duration, drain <-chan struct{}) (out []string, err error) {
	err = c.await(ctx, wait, drain, func(ctx context.Context, wait time.Duration) (fate, error) {
		out = nil
		return c.do(ctx, request{name: "WatchResources", arguments: []any{all, known, bounded(wait)}, again: true, hasty: true, wait: bounded(wait)}, &out)
	})
	return out, err
}
