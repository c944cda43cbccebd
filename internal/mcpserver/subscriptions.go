package mcpserver

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/stdio"
)

// Limits of what one client is told of.
const (
	// maxSubscriptions is how many URIs it may watch, and maxListens how many of the
	// requests that subscribe may be open. Open ones count as calls under way.
	maxSubscriptions = 64
	maxListens       = 16
	// maxListWatched is of how many of its sessions it hears when their lists change:
	// the latest.
	maxListWatched = resources.MaxWatched - maxSubscriptions
)

// Times of a watcher.
const (
	// restAfter is the least time between two looks that found a change: what happens
	// in it is told together.
	restAfter = 200 * time.Millisecond
	// retryAfter is how long it rests where the bridge could not be asked.
	retryAfter = 2 * time.Second
)

// The notifications.
const (
	noteUpdated      = "notifications/resources/updated"
	noteListChanged  = "notifications/resources/list_changed"
	noteAcknowledged = "notifications/subscriptions/acknowledged"
)

// subscription is a URI that the client wants to hear of. With list it is the list of
// what a caller's sessions may read.
type subscription struct {
	uri         string
	credentials bridge.Credentials
	mark        string

	list   bool
	caller binding.Label
	marks  map[bridge.Credentials]string // of the list, by session; nil before the first look

	// listen is the id of the request that asked for it, as the client wrote it; nil for
	// one of the revisions before 2026-07-28.
	listen json.RawMessage
}

func (s *subscription) watched() resources.Watched {
	return resources.Watched{Credentials: s.credentials, URI: s.uri}
}

// about is what a notification says beside its method: never what has changed.
func (s *subscription) about(params map[string]any) map[string]any {
	if s.listen != nil {
		params["_meta"] = map[string]any{mcp.MetaKeySubscriptionID: s.listen}
	}
	return params
}

// subscriptions are what a client wants to hear of. One goroutine watches for all of
// them, as long as there are any.
type subscriptions struct {
	server    *server
	transport *stdio.Transport
	ctx       context.Context //nolint:containedctx // of the watcher, until close
	cancel    context.CancelFunc
	watching  sync.WaitGroup

	mu      sync.Mutex
	all     []*subscription
	listens int
	running bool
	// changed is closed, and replaced, when all has changed.
	changed chan struct{}
}

func newSubscriptions(ctx context.Context, s *server, t *stdio.Transport) *subscriptions {
	ctx, cancel := context.WithCancel(ctx)
	return &subscriptions{server: s, transport: t, ctx: ctx, cancel: cancel, changed: make(chan struct{})}
}

func (s *subscriptions) close() {
	s.cancel()
	s.watching.Wait()
}

// poke lets the watcher look again: what is watched, or the caller's sessions, changed.
func (s *subscriptions) poke() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pokeLocked()
}

func (s *subscriptions) pokeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
	if len(s.all) > 0 && !s.running && s.ctx.Err() == nil {
		s.running = true
		s.watching.Go(s.watch)
	}
}

// add takes subscriptions on, or reports that they are too many.
func (s *subscriptions) add(subs ...*subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	uris := 0
	for _, sub := range slices.Concat(s.all, subs) {
		if !sub.list {
			uris++
		}
	}
	if uris > maxSubscriptions {
		return false
	}
	s.all = append(s.all, subs...)
	s.pokeLocked()
	return true
}

// remove ends those that a function says.
func (s *subscriptions) remove(which func(*subscription) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.all)
	if s.all = slices.DeleteFunc(s.all, which); len(s.all) < before {
		s.pokeLocked()
	}
}

// followList tells the client, from now on, when the list of a caller has changed.
func (s *subscriptions) followList(caller binding.Label, listen json.RawMessage) *subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.all {
		if sub.list && sub.caller == caller && sub.listen == nil && listen == nil {
			return sub
		}
	}
	sub := &subscription{list: true, caller: caller, listen: listen}
	s.all = append(s.all, sub)
	s.pokeLocked()
	return sub
}

// look is one look at all that is watched.
type look struct {
	subs    []*subscription
	owners  []*subscription // whose each of watched is
	watched []resources.Watched
	known   []string
	changed <-chan struct{}
}

// next is what to look at; it reports false, and the watcher ends, where nothing is.
func (s *subscriptions) next() (l look, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 || s.ctx.Err() != nil {
		s.running = false
		return l, false
	}
	l.subs, l.changed = slices.Clone(s.all), s.changed
	lists := 0
	for _, sub := range l.subs {
		if !sub.list {
			l.watch(sub, sub.watched(), sub.mark)
			continue
		}
		own := s.server.sessions.own(sub.caller)
		for _, c := range own[max(0, len(own)-maxListWatched):] {
			if lists++; lists <= maxListWatched {
				l.watch(sub, resources.Watched{Credentials: c}, sub.marks[c])
			}
		}
	}
	return l, true
}

func (l *look) watch(of *subscription, w resources.Watched, known string) {
	l.owners, l.watched, l.known = append(l.owners, of), append(l.watched, w), append(l.known, known)
}

// watch tells the client of changes until nothing is watched.
func (s *subscriptions) watch() {
	for l, ok := s.next(); ok; l, ok = s.next() {
		pause := time.Duration(0)
		if len(l.watched) == 0 {
			s.told(l, nil) // the sessions are gone
			pause = time.Hour
		} else if marks, err := s.ask(l); err != nil {
			if s.ctx.Err() == nil {
				s.server.log.Warn("the bridge cannot be asked for changes of resources; it is tried again", "error", err.Error())
			}
			pause = retryAfter
		} else if s.told(l, marks) {
			pause = restAfter
		}
		s.rest(pause, l.changed)
	}
}

// rest waits. What is subscribed to meanwhile is looked at early where that costs nothing.
func (s *subscriptions) rest(pause time.Duration, changed <-chan struct{}) {
	if pause <= restAfter {
		changed = nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-s.ctx.Done():
	}
}

// ask waits for changes.
func (s *subscriptions) ask(l look) ([]string, error) {
	return s.server.bridge.WatchResources(s.ctx, l.watched, l.known, bridge.MaxWait, l.changed)
}

// told tells the client what has changed, and reports whether anything had.
func (s *subscriptions) told(l look, marks []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := map[*subscription]map[bridge.Credentials]string{}
	changed := false
	for i, mark := range marks {
		sub := l.owners[i]
		if sub.list {
			if fresh[sub] == nil {
				fresh[sub] = map[bridge.Credentials]string{}
			}
			fresh[sub][l.watched[i].Credentials] = mark
			continue
		}
		if mark != sub.mark && slices.Contains(s.all, sub) {
			changed = true
			sub.mark = mark
			s.transport.Notify(noteUpdated, sub.about(map[string]any{"uri": sub.uri}))
		}
	}
	for _, sub := range l.subs {
		if sub.list && slices.Contains(s.all, sub) {
			changed = s.toldList(sub, fresh[sub]) || changed
		}
	}
	// The session may not see it any more: that was the last that is told of it.
	s.all = slices.DeleteFunc(s.all, func(sub *subscription) bool { return !sub.list && sub.mark == resources.Gone })
	return changed
}

// toldList tells that a list has changed. The first look only notes what it is.
func (s *subscriptions) toldList(sub *subscription, marks map[bridge.Credentials]string) bool {
	same := len(marks) == len(sub.marks)
	for c, mark := range marks {
		same = same && sub.marks[c] == mark
	}
	first := sub.marks == nil
	if sub.marks = marks; marks == nil {
		sub.marks = map[bridge.Credentials]string{}
	}
	if first || same {
		return false
	}
	s.transport.Notify(noteListChanged, sub.about(map[string]any{}))
	return true
}

// subscribe answers resources/subscribe, of the revisions before 2026-07-28.
func (s *server) subscribe(ctx context.Context, uri string) (mcp.Result, error) {
	if s.subscriptions == nil {
		return nil, noUpdates()
	}
	sub, err := s.admit(ctx, uri)
	if err != nil {
		return nil, s.resourceFailure("resources/subscribe", err)
	}
	s.subscriptions.remove(func(other *subscription) bool { return other.listen == nil && !other.list && other.uri == uri })
	if !s.subscriptions.add(sub) {
		return nil, tooMany()
	}
	return &done{}, nil
}

func (s *server) unsubscribe(uri string) (mcp.Result, error) {
	if s.subscriptions == nil {
		return nil, noUpdates()
	}
	s.subscriptions.remove(func(sub *subscription) bool { return sub.listen == nil && !sub.list && sub.uri == uri })
	return &done{}, nil
}

// noUpdates refuses to tell of changes where the answer to a request is all that reaches
// the client.
func noUpdates() error {
	return badResource("updates of resources do not come over HTTP: read the resource again, or use this gateway with `bridge connect`")
}

func tooMany() error {
	return badResource("too many subscriptions: a client may have 64, in 16 requests; end some first")
}

// listen answers subscriptions/listen. It returns when the client cancels it, or when the
// process is to end.
func (s *server) listen(ctx context.Context, wanted *mcp.NotificationSubscriptions) (mcp.Result, error) {
	id, ok := stdio.RequestID(ctx)
	switch {
	case wanted == nil:
		return nil, badResource("notifications is missing: it says what to tell of")
	case s.subscriptions == nil || !ok:
		return nil, noUpdates()
	case len(wanted.ResourceSubscriptions) > maxSubscriptions || !s.subscriptions.begin():
		return nil, tooMany()
	}
	defer s.subscriptions.end()
	wire := s.subscriptions.transport.WireID(id)
	subs, err := s.admitAll(ctx, wanted.ResourceSubscriptions, wire)
	if err != nil {
		return nil, err
	}
	result := &mcp.SubscriptionsListenResult{Meta: mcp.Meta{mcp.MetaKeySubscriptionID: wire}}
	agreed := mcp.NotificationSubscriptions{ResourcesListChanged: wanted.ResourcesListChanged, ResourceSubscriptions: wanted.ResourceSubscriptions}
	s.subscriptions.transport.Notify(noteAcknowledged, map[string]any{
		"notifications": agreed, "_meta": map[string]any{mcp.MetaKeySubscriptionID: wire},
	})
	if len(subs) == 0 && !agreed.ResourcesListChanged {
		return result, nil
	}
	if agreed.ResourcesListChanged {
		subs = append(subs, s.subscriptions.followList(clientOf(ctx).sessionLabel(), wire))
	}
	defer s.subscriptions.remove(func(sub *subscription) bool { return slices.Contains(subs, sub) })
	if !s.subscriptions.add(slices.DeleteFunc(slices.Clone(subs), func(sub *subscription) bool { return sub.list })...) {
		return nil, tooMany()
	}
	select {
	case <-ctx.Done():
	case <-s.drained:
	}
	return result, nil
}

// admitAll is admit for several URIs, each once.
func (s *server) admitAll(ctx context.Context, uris []string, listen json.RawMessage) (subs []*subscription, err error) {
	for i, uri := range uris {
		if slices.Contains(uris[:i], uri) {
			continue
		}
		sub, err := s.admit(ctx, uri)
		if err != nil {
			return nil, s.resourceFailure("subscriptions/listen", err)
		}
		sub.listen = listen
		subs = append(subs, sub)
	}
	return subs, nil
}

// begin counts a listen, unless there are too many.
func (s *subscriptions) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listens >= maxListens {
		return false
	}
	s.listens++
	return true
}

func (s *subscriptions) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listens--
}
