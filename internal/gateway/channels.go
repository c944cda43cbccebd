package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/stdio"
)

// Limits of channels.
const (
	maxChannels = 64 // of one key
	// maxEnded is how many names of clients that said goodbye are kept for a key.
	maxEnded = 64
	// channelGrace is how long one lasts that nobody reads.
	channelGrace = 30 * time.Second
	// maxClientName is how many characters the name of a client has.
	maxClientName = 64
)

// clientHeader is the header by which a client is known again (MCP 2025-11-25, transports,
// session management). Here it selects among the streams of one key: it is not an identity,
// and any name is as good as the one that the gateway gave.
const clientHeader = "Mcp-Session-Id"

// clientName is how a request names its client; "" where that is nothing usable.
func clientName(r *http.Request) string {
	name := r.Header.Get(clientHeader)
	if len(name) > maxClientName || strings.ContainsFunc(name, func(c rune) bool { return c < '!' || c > '~' }) {
		return ""
	}
	return name
}

// channels are how clients of the revisions before 2026-07-28 that share a key are told
// of changes, each on its own.
type channels struct {
	forget func(stdio.Outlet) // ends what was subscribed to through an outlet

	mu    sync.Mutex
	all   map[string]*channel // by the client's name
	ended []string            // names that their clients gave up, the latest last
}

// channel lasts as long as a stream reads it, and a while without one.
type channel struct {
	outlet *outlet
	end    context.CancelFunc // of the stream that reads it; nil where there is none
	reads  int                // how many streams have read it
	since  time.Time          // when the last of them left
}

func newChannels(forget func(stdio.Outlet)) *channels {
	return &channels{forget: forget, all: map[string]*channel{}}
}

// of returns the channel of a client. It reports false where there is no room for one.
func (cs *channels) of(client string) (*channel, bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.all[client]; c != nil && !c.outlet.isClosed() {
		return c, true
	}
	cs.drop(client)
	if len(cs.all) >= maxChannels && !cs.makeRoom() {
		return nil, false
	}
	c := &channel{outlet: newOutlet(), since: time.Now()}
	cs.all[client] = c
	return c, true
}

// makeRoom drops the channel that has been without a reader for longest.
func (cs *channels) makeRoom() bool {
	oldest, found := "", false
	for name, c := range cs.all {
		if c.end == nil && (!found || c.since.Before(cs.all[oldest].since)) {
			oldest, found = name, true
		}
	}
	cs.drop(oldest)
	return found
}

func (cs *channels) drop(client string) {
	c := cs.all[client]
	if c == nil {
		return
	}
	delete(cs.all, client)
	c.outlet.close()
	cs.forget(c.outlet)
}

// remove ends the channel of a client, which gives up its name.
func (cs *channels) remove(client string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.drop(client)
	if cs.ended = append(cs.ended, client); len(cs.ended) > maxEnded {
		cs.ended = slices.Delete(cs.ended, 0, 1)
	}
}

// hasEnded reports whether a client has given up its name. No other name is ever unknown:
// clients take 404 for the end of all that they had here.
func (cs *channels) hasEnded(client string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return slices.Contains(cs.ended, client)
}

// read notes that a stream, which end ends, reads a channel. There is one: what read it
// before ends. Call leave when it does not read any more.
func (cs *channels) read(c *channel, end context.CancelFunc) (leave func()) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.end != nil {
		c.end()
	}
	c.reads++
	mine := c.reads
	c.end = end
	return func() {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		if c.reads == mine {
			c.end, c.since = nil, time.Now()
		}
	}
}

// expire drops the channels that nobody has read for long.
func (cs *channels) expire(now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for name, c := range cs.all {
		if c.outlet.isClosed() || c.end == nil && now.Sub(c.since) > channelGrace {
			cs.drop(name)
		}
	}
}
