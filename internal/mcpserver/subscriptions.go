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

// Limits for the notifications to one client.
const (
	// maxSubscriptions is how many URIs a client may watch, and maxListens how many
	// subscription requests may be open. Open requests count as calls in flight.
	maxSubscriptions = 64
	maxListens       = 16
	// maxListWatched is the number of sessions, the latest ones, for which changes of the
	// list of resources are reported.
	maxListWatched = resources.MaxWatched - maxSubscriptions
)

// Times of a watcher.
const (
	// restAfter is the minimum time between two checks. All changes in that time are
	// reported together.
	restAfter = 200 * time.Millisecond
	// retryAfter is the pause after the bridge could not be reached.
	retryAfter = 2 * time.Second
)

// Methods of the notifications.
const (
	noteUpdated      = "notifications/resources/updated"
	noteListChanged  = "notifications/resources/list_changed"
	noteAcknowledged = "notifications/subscriptions/acknowledged"
)

// subscription is a URI that the client watches or, if list is set, the list of resources
// that a caller's sessions may read.
type subscription struct {
	uri         string
	credentials bridge.Credentials
	mark        string

	list   bool
	caller binding.Label
	marks  map[bridge.Credentials]string // of the list, by session; nil before the first check

	// to is the outlet through which the client is notified.
	to stdio.Outlet
	// listen is the id of the request that subscribed, as the client wrote it; nil for
	// revisions before 2026-07-28.
	listen json.RawMessage
}

func (s *subscription) watched() resources.Watched {
	return resources.Watched{Credentials: s.credentials, URI: s.uri}
}

// tell notifies the client. It returns false if the client can no longer be reached.
func (s *subscription) tell(method string, params map[string]any) bool {
	return s.to.Notify(method, s.about(params))
}

// about adds to the parameters of a notification. These never contain the change itself.
func (s *subscription) about(params map[string]any) map[string]any {
	if s.listen != nil {
		params["_meta"] = map[string]any{mcp.MetaKeySubscriptionID: s.listen}
	}
	return params
}

// subscriptions holds the subscriptions of a client, or of all clients that share an access
// key. While there are any, one goroutine watches for all of them.
type subscriptions struct {
	server    *server
	transport *stdio.Transport // nil if each request has an outlet of its own
	ctx       context.Context  //nolint:containedctx // of the watcher, until close
	cancel    context.CancelFunc
	watching  sync.WaitGroup

	mu      sync.Mutex
	all     []*subscription
	listens int
	running bool
	// changed is closed and replaced when all or the caller's sessions change.
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

// poke makes the watcher check again, because the subscriptions or the caller's sessions
// have changed.
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

// outlet returns the outlet for the client of a request, and the id of the request as the
// client wrote it.
func (s *subscriptions) outlet(ctx context.Context) (to stdio.Outlet, wire json.RawMessage, ok bool) {
	if s == nil {
		return nil, nil, false
	}
	if s.transport == nil {
		return stdio.OutletOf(ctx)
	}
	id, ok := stdio.RequestID(ctx)
	if !ok {
		return nil, nil, false
	}
	return s.transport, s.transport.WireID(id), true
}

// forget ends the subscriptions made through an outlet.
func (s *subscriptions) forget(to stdio.Outlet) {
	s.remove(func(sub *subscription) bool { return sub.to == to })
}

// add adds subscriptions, or returns an error if there would be too many.
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

// remove removes the subscriptions for which the function returns true.
func (s *subscriptions) remove(which func(*subscription) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.all)
	if s.all = slices.DeleteFunc(s.all, which); len(s.all) < before {
		s.pokeLocked()
	}
}

// followList notifies the client from now on when the list of a caller changes.
func (s *subscriptions) followList(caller binding.Label, to stdio.Outlet, listen json.RawMessage) *subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.all {
		if sub.list && sub.caller == caller && sub.to == to && sub.listen == nil && listen == nil {
			return sub
		}
	}
	sub := &subscription{list: true, caller: caller, to: to, listen: listen}
	s.all = append(s.all, sub)
	s.pokeLocked()
	return sub
}

// look is the input of one check of everything that is watched.
type look struct {
	subs    []*subscription
	owners  []*subscription // the subscription that each element of watched belongs to
	watched []resources.Watched
	known   []string
	changed <-chan struct{}
}

// next returns what to check. It returns false, and the watcher ends, if there is nothing
// to watch.
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

// watch notifies the client of changes until nothing is watched.
func (s *subscriptions) watch() {
	for l, ok := s.next(); ok; l, ok = s.next() {
		pause := restAfter
		if len(l.watched) == 0 {
			s.reportChanges(l, nil) // the sessions are gone
			pause = time.Hour
		} else if marks, err := s.ask(l); err != nil {
			if s.ctx.Err() == nil {
				s.server.log.Warn("could not ask the bridge for changes of resources; retrying", "error", err.Error())
			}
			pause = retryAfter
		} else {
			s.reportChanges(l, marks)
		}
		s.rest(pause, l.changed)
	}
}

// rest waits for pause. If pause is longer than restAfter, a new subscription ends the
// wait.
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
	return s.server.bridge.WatchResources(s.ctx, l.watched, l.known, bridge.MaxWatch, l.changed)
}

// reportChanges notifies the client of the changes.
func (s *subscriptions) reportChanges(l look, marks []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := map[*subscription]map[bridge.Credentials]string{}
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
			sub.mark = mark
			if !sub.tell(noteUpdated, map[string]any{"uri": sub.uri}) {
				sub.mark = resources.Gone
			}
		}
	}
	for _, sub := range l.subs {
		if sub.list && slices.Contains(s.all, sub) {
			s.reportListChange(sub, fresh[sub])
		}
	}
	// Remove subscriptions whose session may no longer see the URI; the notification just
	// sent was their last.
	s.all = slices.DeleteFunc(s.all, func(sub *subscription) bool { return !sub.list && sub.mark == resources.Gone })
}

// reportListChange notifies the client if a list has changed. The first check only records its
// state.
func (s *subscriptions) reportListChange(sub *subscription, marks map[bridge.Credentials]string) {
	same := len(marks) == len(sub.marks)
	for c, mark := range marks {
		same = same && sub.marks[c] == mark
	}
	first := sub.marks == nil
	if sub.marks = marks; marks == nil {
		sub.marks = map[bridge.Credentials]string{}
	}
	if !first && !same {
		sub.tell(noteListChanged, map[string]any{})
	}
}

// subscribe handles resources/subscribe, of revisions before 2026-07-28.
func (s *server) subscribe(ctx context.Context, uri string) (mcp.Result, error) {
	to, _, ok := s.subscriptions.outlet(ctx)
	if !ok {
		return nil, noUpdates()
	}
	sub, err := s.admit(ctx, uri)
	if err != nil {
		return nil, s.resourceFailure("resources/subscribe", err)
	}
	sub.to = to
	s.subscriptions.remove(sub.same)
	if !s.subscriptions.add(sub) {
		return nil, tooMany()
	}
	return &done{}, nil
}

// same returns the subscription of the same client to the same URI, for revisions before
// 2026-07-28.
func (s *subscription) same(other *subscription) bool {
	return other.listen == nil && !other.list && other.uri == s.uri && other.to == s.to
}

func (s *server) unsubscribe(ctx context.Context, uri string) (mcp.Result, error) {
	to, _, ok := s.subscriptions.outlet(ctx)
	if !ok {
		return nil, noUpdates()
	}
	s.subscriptions.remove((&subscription{uri: uri, to: to}).same)
	return &done{}, nil
}

// noUpdates is the error for a client that cannot receive notifications.
func noUpdates() error {
	return badResource("no update can reach you: too many clients of your key receive notifications, or this connection does not support them; read the resource again instead")
}

func tooMany() error {
	return badResource("too many subscriptions: a client may have 64, in 16 requests; cancel some first")
}

// listen handles subscriptions/listen. It returns when the client cancels the request, or
// when the process or the client's outlet ends.
func (s *server) listen(ctx context.Context, wanted *mcp.NotificationSubscriptions) (mcp.Result, error) {
	to, wire, ok := s.subscriptions.outlet(ctx)
	switch {
	case wanted == nil:
		return nil, badResource("notifications is missing: it lists the notifications to receive")
	case !ok:
		return nil, noUpdates()
	case len(wanted.ResourceSubscriptions) > maxSubscriptions || !s.subscriptions.begin():
		return nil, tooMany()
	}
	defer s.subscriptions.end()
	subs, err := s.admitAll(ctx, wanted.ResourceSubscriptions, to, wire)
	if err != nil {
		return nil, err
	}
	about := mcp.Meta{mcp.MetaKeySubscriptionID: wire}
	to.Notify(noteAcknowledged, map[string]any{"_meta": about, "notifications": mcp.NotificationSubscriptions{
		ResourcesListChanged: wanted.ResourcesListChanged, ResourceSubscriptions: wanted.ResourceSubscriptions,
	}})
	result := &mcp.SubscriptionsListenResult{Meta: about}
	if len(subs) == 0 && !wanted.ResourcesListChanged {
		return result, nil
	}
	defer s.subscriptions.remove(func(sub *subscription) bool { return slices.Contains(subs, sub) })
	if !s.subscriptions.add(subs...) {
		return nil, tooMany()
	}
	if wanted.ResourcesListChanged {
		subs = append(subs, s.subscriptions.followList(clientOf(ctx).sessionLabel(), to, wire))
	}
	select {
	case <-ctx.Done():
	case <-to.Closing():
	case <-s.drained:
	}
	return result, nil
}

// admitAll calls admit once for each distinct URI.
func (s *server) admitAll(ctx context.Context, uris []string, to stdio.Outlet, listen json.RawMessage) (subs []*subscription, err error) {
	for i, uri := range uris {
		if slices.Contains(uris[:i], uri) {
			continue
		}
		sub, err := s.admit(ctx, uri)
		if err != nil {
			return nil, s.resourceFailure("subscriptions/listen", err)
		}
		sub.to, sub.listen = to, listen
		subs = append(subs, sub)
	}
	return subs, nil
}

// begin counts an open listen request, or returns an error if there are too many.
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
