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
	maxChannels = 64 // per key
	// maxEnded is how many names of clients that ended their session are remembered per
	// key.
	maxEnded = 64
	// channelGrace is how long a channel is kept without a reader.
	channelGrace = 30 * time.Second
	// maxClientName is the maximum length of a client's name, in characters.
	maxClientName = 64
)

// clientHeader is the header that identifies a client across requests (MCP 2025-11-25,
// transports, session management). It only selects among the streams of one key and is not
// used for authentication; a name chosen by the client is as good as one assigned by the
// gateway.
const clientHeader = "Mcp-Session-Id"

// clientName returns the client's name from a request, or "" if it has no valid one.
func clientName(r *http.Request) string {
	name := r.Header.Get(clientHeader)
	if len(name) > maxClientName || strings.ContainsFunc(name, func(c rune) bool { return c < '!' || c > '~' }) {
		return ""
	}
	return name
}

// channels holds the channels through which clients of the revisions before 2026-07-28
// receive notifications. Clients that share a key have separate channels.
type channels struct {
	forget func(stdio.Outlet) // ends the subscriptions made through an outlet

	mu    sync.Mutex
	all   map[string]*channel // by the client's name
	ended []string            // names of ended sessions, oldest first
}

// channel exists while a stream reads it, and for channelGrace after that.
type channel struct {
	outlet *outlet
	end    context.CancelFunc // ends the stream that reads it; nil without one
	reads  int                // number of streams that have read it so far
	since  time.Time          // when the last reader left
}

func newChannels(forget func(stdio.Outlet)) *channels {
	return &channels{forget: forget, all: map[string]*channel{}}
}

// of returns the channel of a client, creating it if needed. It returns false if there is
// no room for another one.
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

// makeRoom drops the channel that has been without a reader for longest. It returns false
// if all have readers.
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

// remove ends the channel of a client that has ended its session.
func (cs *channels) remove(client string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.drop(client)
	if cs.ended = append(cs.ended, client); len(cs.ended) > maxEnded {
		cs.ended = slices.Delete(cs.ended, 0, 1)
	}
}

// hasEnded reports whether a client has ended its session. Only such names are answered
// with 404, because a client takes that as the end of its session.
func (cs *channels) hasEnded(client string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return slices.Contains(cs.ended, client)
}

// read records that a stream, which end ends, reads a channel. A channel has one reader, so
// the previous one is ended. Call leave when the stream stops reading.
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

// expire drops channels that have been without a reader for longer than channelGrace.
func (cs *channels) expire(now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for name, c := range cs.all {
		if c.outlet.isClosed() || c.end == nil && now.Sub(c.since) > channelGrace {
			cs.drop(name)
		}
	}
}
