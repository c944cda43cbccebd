package bridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Notifier wakes processes that wait for a change in the store. A ring is only a
// hint: if one is lost, the waiter finds the change later by reading the store.
// Package doorbell implements it for the processes of one machine.
type Notifier interface {
	// Ring wakes everybody who listens for key, in any process. It neither blocks
	// nor fails.
	Ring(key string)
	// Listen begins to listen for key. The channel rings receives a value after
	// each ring; rings that were not received yet are merged into one. Call stop
	// when done. If Listen fails, waiters poll the store more often.
	Listen(key string) (rings <-chan struct{}, stop func() error, err error)
}

// Times between two checks of a waiter.
const (
	checkAgain = time.Second            // if the waiter can be rung
	checkOften = 100 * time.Millisecond // if it cannot
)

// noDoorbells is a Notifier that wakes nobody.
type noDoorbells struct{}

var errSilent = errors.New("there are no doorbells")

func (noDoorbells) Ring(string) {}

func (noDoorbells) Listen(string) (<-chan struct{}, func() error, error) {
	return nil, nil, errSilent
}

// Work replaces the session in a Bell, for changes outside the inboxes: what the
// sessions of a conversation share, or report about themselves.
const Work SessionID = ""

// Bell identifies what to listen for: a session's inbox or, with Work, what the sessions
// of a conversation share.
type Bell struct {
	Conversation string
	Session      SessionID
}

// watchAgain is the time between two polls for watchers. Polling finds changes caused by
// the passing of time alone, such as the end of a lease, and those whose ring was lost.
const watchAgain = 5 * time.Second

// MaxWatch is the longest that AwaitChange waits.
const MaxWatch = time.Hour

// AwaitChange calls check until it returns true or fails: first immediately, then after
// each ring of one of the bells. It returns true if check did. It returns false when drain
// is closed, or after timeout, which is at most MaxWatch. Without a ring, it calls check
// when the marks of the bells' conversations have changed (Store.WorkMarks). It polls them
// every few seconds, together with all other watchers of this process.
func (s *Service) AwaitChange(ctx context.Context, bells []Bell, timeout time.Duration, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	within, cancel := context.WithTimeout(ctx, max(0, min(timeout, MaxWatch)))
	defer cancel()
	found, err := s.awaitChange(within, bells, drain, check)
	if err != nil && within.Err() != nil {
		return false, ctx.Err()
	}
	return found, errors.Join(err, ctx.Err())
}

func (s *Service) awaitChange(ctx context.Context, bells []Bell, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	if found, err := check(ctx); found || err != nil {
		return found, err
	}
	var keys, conversations []string
	for _, b := range bells {
		keys = append(keys, bellKey(b.Conversation, b.Session))
		conversations = append(conversations, b.Conversation)
	}
	rings, stop, err := multiNotifier{s.bells, keys}.Listen("")
	if err != nil {
		return waitFor(ctx, noDoorbells{}, "", drain, intervals{silent: time.Second}, check)
	}
	defer func() { _ = stop() }()
	w := s.workPoller.join(conversations)
	defer s.workPoller.remove(w)
	for known := ""; ; { // Check only after Listen, so that changes in between are seen
		if found, err := check(ctx); found || err != nil {
			return found, err
		}
		for same := true; same; {
			select {
			case <-ctx.Done():
				return false, nil
			case <-drain:
				return false, nil
			case <-rings:
				same = false
			case marks := <-w.marks:
				// The first marks may be from after the check, so they are followed by
				// another check. If reading the marks failed, check reports the error.
				same = marks == known && marks != ""
				known = marks
			}
		}
	}
}

// poller calls poll periodically for all waiters of one kind in this process.
type poller[W comparable] struct {
	every time.Duration
	// prepare is called before poll with the mutex held. It reports whether to go on
	// even without waiters.
	prepare func() (busy bool)
	poll    func(waiters []W)

	mutex   sync.Mutex
	waiters map[W]bool
	running bool
}

func (p *poller[W]) add(w W) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.waiters[w] = true
	if !p.running {
		p.running = true
		go p.run()
	}
}

func (p *poller[W]) remove(w W) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.waiters, w)
}

func (p *poller[W]) run() {
	again := time.NewTicker(p.every)
	defer again.Stop()
	for range again.C {
		p.mutex.Lock()
		waiters := slices.Collect(maps.Keys(p.waiters))
		running := p.prepare() || len(waiters) > 0
		p.running = running
		p.mutex.Unlock()
		if !running {
			return
		}
		p.poll(waiters)
	}
}

// replace sends v on a channel that has room for one value, in place of a value that was
// not received yet. Only one goroutine may send.
func replace[T any](c chan T, v T) {
	select {
	case <-c:
	default:
	}
	c <- v
}

// workPoller polls the shared state of conversations for all watchers of this process,
// with one read every few seconds for all of them.
type workPoller struct {
	poller[*workWaiter]
	store Store
	now   func() time.Time
}

// workWaiter is one watcher.
type workWaiter struct {
	conversations []string
	// marks receives the latest marks of the conversations as one text; "" if reading
	// them failed.
	marks chan string
}

func newWorkPoller(store Store, now func() time.Time) *workPoller {
	p := &workPoller{store: store, now: now}
	p.poller = poller[*workWaiter]{
		every: watchAgain, poll: p.read, waiters: map[*workWaiter]bool{},
		prepare: func() bool { return false },
	}
	return p
}

// join begins to poll conversations. Call remove when done.
func (p *workPoller) join(conversations []string) *workWaiter {
	// A malformed ID must not make the read fail for the others.
	conversations = slices.DeleteFunc(conversations, func(id string) bool { return !IsConversationID(id) })
	slices.Sort(conversations)
	w := &workWaiter{slices.Compact(conversations), make(chan string, 1)}
	p.add(w)
	return w
}

func (p *workPoller) read(all []*workWaiter) {
	marks := p.marks(all)
	for _, w := range all {
		replace(w.marks, w.of(marks))
	}
}

// marks returns the marks of all conversations, or nil if reading them failed.
func (p *workPoller) marks(all []*workWaiter) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	marks := map[string]string{}
	for _, w := range all {
		for _, id := range w.conversations {
			marks[id] = ""
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(marks)), pollSize) {
		var found []string
		err := contained(func() (err error) {
			found, err = p.store.WorkMarks(ctx, some, p.now())
			return err
		})
		if err != nil {
			return nil
		}
		for i, id := range some {
			marks[id] = found[i]
		}
	}
	return marks
}

// of returns the marks of the waiter's conversations as one text.
func (w *workWaiter) of(marks map[string]string) string {
	if marks == nil {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n") // so that the text is not "" if there are none
	for _, id := range w.conversations {
		text.WriteString(marks[id] + "\n")
	}
	return text.String()
}

// wait calls check until it returns true or fails, or until ctx or drain has
// ended; in the last case it returns false. Between two calls it sleeps until
// key is rung, but at most a second.
func wait(ctx context.Context, n Notifier, key string, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	return waitFor(ctx, n, key, drain, intervals{checkAgain, checkOften}, check)
}

// intervals are the times between two checks of a waiter.
type intervals struct{ rung, silent time.Duration }

// waitFor is wait with other times between two checks.
func waitFor(ctx context.Context, n Notifier, key string, drain <-chan struct{}, l intervals, check func(context.Context) (bool, error)) (bool, error) {
	if found, err := check(ctx); found || err != nil {
		return found, err
	}
	every := l.silent
	rings, stop, err := n.Listen(key)
	if err == nil {
		defer func() { _ = stop() }()
		every = l.rung
	}
	again := time.NewTicker(every)
	defer again.Stop()
	return eachTime(ctx, drain, rings, again.C, func(time.Time) (bool, error) { return check(ctx) })
}

// eachTime calls check until it returns true or fails, or until ctx or drain has ended; in
// the last case it returns false. It calls check immediately, so that changes from before
// the caller listened are seen, then with the zero value after each ring, and with each
// value received from again.
func eachTime[T any](ctx context.Context, drain, rings <-chan struct{}, again <-chan T, check func(T) (bool, error)) (bool, error) {
	var none T
	for with := none; ; {
		if found, err := check(with); found || err != nil {
			return found, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-drain:
			return false, nil
		case <-rings:
			with = none
		case with = <-again:
		}
	}
}

// Limits of one poll.
const (
	pollTimeout = 5 * time.Second
	pollSize    = 2000 // inboxes or conversations; others want to read too
)

// contained calls fn and returns a panic in it as an error. A poll runs in a goroutine
// of its own, where a panic would end the process.
func contained(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v", value)
		}
	}()
	return fn()
}

// mailPoller polls the inboxes of all callers of this process that wait for mail, with one
// read a second for all of them. A ring wakes a waiter immediately; polling finds what is
// not rung for, such as an expiry, or the end of the claim of a process that died.
type mailPoller struct {
	poller[*mailWaiter]
	store Store

	seen   map[Address]time.Time // sessions whose sign of life has yet to be recorded, with its time
	noting bool                  // earlier ones are being recorded
	noted  chan struct{}         // closed when those due before the current poll are recorded
}

// mailWaiter is one waiter for mail.
type mailWaiter struct {
	inboxes []Address
	// views receives the latest state of the inboxes; nil if reading them failed, so
	// that the waiter has to read them itself.
	views chan []SessionView
}

func newMailPoller(store Store) *mailPoller {
	p := &mailPoller{store: store, seen: map[Address]time.Time{}}
	p.poller = poller[*mailWaiter]{
		every: checkAgain, poll: p.read, waiters: map[*mailWaiter]bool{},
		prepare: p.noteSeen,
	}
	return p
}

// join begins to poll inboxes. Call remove when done.
func (p *mailPoller) join(inboxes []Address) *mailWaiter {
	w := &mailWaiter{inboxes, make(chan []SessionView, 1)}
	p.add(w)
	return w
}

// noteLater arranges for a sign of life to be recorded together with those of others. It
// returns false if there is no polling, so that nobody would record it.
func (p *mailPoller) noteLater(of Address, at time.Time) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.running {
		p.seen[of] = at
	}
	return p.running
}

func (p *mailPoller) read(all []*mailWaiter) {
	select { // otherwise the reads below find no sign of life, and it is recorded again
	case <-p.noted:
	case <-time.After(checkAgain / 2):
	}
	for len(all) > 0 {
		some := portion(all)
		p.readSome(all[:some])
		all = all[some:]
	}
}

// portion returns for how many of the waiters to read at once: at least one, and no more
// than have pollSize inboxes in total.
func portion(all []*mailWaiter) int {
	inboxes := 0
	for n, w := range all {
		if inboxes += len(w.inboxes); inboxes > pollSize && n > 0 {
			return n
		}
	}
	return len(all)
}

// noteSeen begins to record the signs of life, and reports whether later ones are left,
// since one recording has to end before the next. Recording may have to wait for other
// writers; polling continues meanwhile. The caller holds the mutex.
func (p *mailPoller) noteSeen() (left bool) {
	p.noted = make(chan struct{})
	if p.noting || len(p.seen) == 0 {
		close(p.noted)
		return len(p.seen) > 0
	}
	p.noting = true
	seen, noted := p.seen, p.noted
	p.seen = map[Address]time.Time{}
	go func() {
		defer close(noted)
		p.note(seen)
	}()
	return false
}

// note records signs of life. If it fails, a session looks silent for a moment.
func (p *mailPoller) note(seen map[Address]time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	latest := slices.MaxFunc(slices.Collect(maps.Values(seen)), time.Time.Compare)
	_ = contained(func() error {
		return p.store.NoteAllSeen(ctx, slices.Collect(maps.Keys(seen)), latest, latest.Add(-noteTogether))
	})
	p.mutex.Lock()
	p.noting = false
	p.mutex.Unlock()
}

// readSome reads the inboxes of some waiters once.
func (p *mailPoller) readSome(all []*mailWaiter) {
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	var of []Address
	for _, w := range all {
		of = append(of, w.inboxes...)
	}
	var views []SessionView
	err := contained(func() (err error) {
		views, err = p.store.PeekInboxes(ctx, of)
		return err
	})
	for _, w := range all {
		var own []SessionView
		if err == nil {
			own, views = views[:len(w.inboxes)], views[len(w.inboxes):]
		}
		replace(w.views, own)
	}
}
