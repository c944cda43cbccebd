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

// Notifier wakes processes that wait for a change in the store. A ring is a hint
// and the store is the truth: one that is lost delays a waiter and never loses
// anything. Package doorbell has the one for processes of one machine.
type Notifier interface {
	// Ring wakes everybody who listens for key, in any process. It neither blocks
	// nor fails.
	Ring(key string)
	// Listen begins to listen for key: rings receives after each ring, and rings
	// that nobody took yet are one. Call stop when done. Where it fails, waiters
	// look into the store more often.
	Listen(key string) (rings <-chan struct{}, stop func() error, err error)
}

// Times between two checks of a waiter.
const (
	checkAgain = time.Second            // where a bell rings
	checkOften = 100 * time.Millisecond // where none could be set up
)

// silence is the Notifier that wakes nobody.
type silence struct{}

var errSilent = errors.New("there are no doorbells")

func (silence) Ring(string) {}

func (silence) Listen(string) (<-chan struct{}, func() error, error) {
	return nil, nil, errSilent
}

// Work stands, where a bell rings, for nobody's inbox: what the sessions of a
// conversation share, or say of themselves, has changed.
const Work SessionID = ""

// Bell is what rings for a change in a conversation: in a session's inbox, or, for Work,
// in what its sessions share.
type Bell struct {
	Conversation string
	Session      SessionID
}

// watchAgain is how often those who watch are looked for without a ring, for what changes by
// time alone, such as a lease, and for rings that were lost.
const watchAgain = 5 * time.Second

// MaxWatch is the longest that AwaitChange waits.
const MaxWatch = time.Hour

// AwaitChange calls check, and again after each ring of one of the bells, until it reports
// true or fails; then it answers true. It answers false when drain is closed, and when
// timeout is over, which is at most MaxWatch. Without a ring it calls check where the marks
// of the bells' conversations have changed (Store.WorkMarks), for which it looks every few
// seconds together with whoever else watches in this process.
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
	rings, stop, err := together{s.bells, keys}.Listen("")
	if err != nil {
		return waitFor(ctx, silence{}, "", drain, looks{silent: time.Second}, check)
	}
	defer func() { _ = stop() }()
	w := s.rounds.join(conversations)
	defer s.rounds.leave(w)
	for known := ""; ; { // Listen first, then check: what is committed in between is seen
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
				// What was marked before a check is no news for it, so that the first marks
				// are followed by one. Where the look has failed the check tells of it.
				same = marks == known && marks != ""
				known = marks
			}
		}
	}
}

// rounds looks at what sessions share for everybody who watches for changes in this process:
// with one look every few seconds, however many they are. It runs while somebody watches.
type rounds struct {
	store Store
	now   func() time.Time

	mutex    sync.Mutex
	watching map[*onlooker]bool
	running  bool
}

// onlooker is one who watches.
type onlooker struct {
	conversations []string
	// marks receives the latest marks of the conversations in one text; "" where the look
	// failed.
	marks chan string
}

func newRounds(store Store, now func() time.Time) *rounds {
	return &rounds{store: store, now: now, watching: map[*onlooker]bool{}}
}

// join begins to look at conversations. Call leave when done.
func (r *rounds) join(conversations []string) *onlooker {
	// What no conversation is called must not end the look for the others.
	conversations = slices.DeleteFunc(conversations, func(id string) bool { return !IsConversationID(id) })
	slices.Sort(conversations)
	o := &onlooker{slices.Compact(conversations), make(chan string, 1)}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.watching[o] = true
	if !r.running {
		r.running = true
		go r.run()
	}
	return o
}

func (r *rounds) leave(o *onlooker) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.watching, o)
}

func (r *rounds) run() {
	again := time.NewTicker(watchAgain)
	defer again.Stop()
	for range again.C {
		r.mutex.Lock()
		all := slices.Collect(maps.Keys(r.watching))
		r.running = len(all) > 0
		r.mutex.Unlock()
		if len(all) == 0 {
			return
		}
		marks := r.look(all)
		for _, o := range all {
			select { // marks that nobody took are replaced
			case <-o.marks:
			default:
			}
			o.marks <- o.of(marks)
		}
	}
}

// look returns the marks of the conversations of all, or nothing where it fails.
func (r *rounds) look(all []*onlooker) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	marks := map[string]string{}
	for _, o := range all {
		for _, id := range o.conversations {
			marks[id] = ""
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(marks)), lookFor) {
		var found []string
		err := contained(func() (err error) {
			found, err = r.store.WorkMarks(ctx, some, r.now())
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

// of are the marks of an onlooker's conversations in one text.
func (o *onlooker) of(marks map[string]string) string {
	if marks == nil {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n") // also of none it is not ""
	for _, id := range o.conversations {
		text.WriteString(marks[id] + "\n")
	}
	return text.String()
}

// wait calls check until it says that it has found what the caller waits for, or
// fails, or until ctx or drain has ended; then it answers false. Between two
// calls it sleeps until somebody rings for key, and never longer than a second.
func wait(ctx context.Context, n Notifier, key string, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	return waitFor(ctx, n, key, drain, looks{checkAgain, checkOften}, check)
}

// looks are the times between two looks of a waiter.
type looks struct{ rung, silent time.Duration }

// waitFor is wait with other times between two looks.
func waitFor(ctx context.Context, n Notifier, key string, drain <-chan struct{}, l looks, check func(context.Context) (bool, error)) (bool, error) {
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

// eachTime calls check at once, so that what was committed before somebody listened is seen,
// and then at each ring with the zero value, and with whatever again brings, until it reports
// true, or fails, or until ctx or drain has ended; then it answers false.
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

// Address names the inbox of a session.
type Address struct {
	Conversation string
	Session      SessionID
}

// addresses are the inboxes of sessions.
func addresses(all []Credentials) []Address {
	of := make([]Address, len(all))
	for i, c := range all {
		c = claimed(c)
		of[i] = Address{c.Conversation, c.Session}
	}
	return of
}

// Limits of one look.
const (
	lookWithin = 5 * time.Second
	lookFor    = 2000 // inboxes, or conversations: others want to read meanwhile
)

// contained calls fn, and returns what it panicked with as an error. A look for all runs
// beside the calls, and its panic would end them all.
func contained(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v", value)
		}
	}()
	return fn()
}

// lookout looks into the store for everybody who waits for mail in this process: with one
// look a second, however many they are. A ring wakes a waiter at once; this finds what
// nobody rang for, such as the end of a claim whose process died, or an expiry. It runs while
// somebody waits.
type lookout struct {
	store Store

	mutex   sync.Mutex
	waiting map[*watch]bool
	seen    map[Address]time.Time // sessions whose sign of life is to be noted, with its time
	noting  bool                  // earlier ones are being noted
	running bool
}

// watch is what one waiter waits at.
type watch struct {
	inboxes []Address
	// views receives the latest look at them; nil where that failed, and the waiter is to look.
	views chan []SessionView
}

func newLookout(store Store) *lookout {
	return &lookout{store: store, waiting: map[*watch]bool{}, seen: map[Address]time.Time{}}
}

// join begins to look at inboxes. Call leave when done.
func (l *lookout) join(inboxes []Address) *watch {
	w := &watch{inboxes, make(chan []SessionView, 1)}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.waiting[w] = true
	if !l.running {
		l.running = true
		go l.run()
	}
	return w
}

func (l *lookout) leave(w *watch) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.waiting, w)
}

// noteLater has a sign of life noted together with those of others. It reports false where
// nobody waits who would see to it.
func (l *lookout) noteLater(of Address, at time.Time) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.running {
		l.seen[of] = at
	}
	return l.running
}

func (l *lookout) run() {
	again := time.NewTicker(checkAgain)
	defer again.Stop()
	for range again.C {
		l.mutex.Lock()
		all := slices.Collect(maps.Keys(l.waiting))
		noted := l.noteSeen()
		l.running = len(all)+len(l.seen) > 0
		running := l.running
		l.mutex.Unlock()
		if !running {
			return
		}
		select { // else the looks find no sign of life, and it is noted again
		case <-noted:
		case <-time.After(checkAgain / 2):
		}
		for len(all) > 0 {
			some := portion(all)
			l.look(all[:some])
			all = all[some:]
		}
	}
}

// portion is for how many of these waiters one look is: for one at least, and for no more
// than have lookFor inboxes together.
func portion(all []*watch) int {
	inboxes := 0
	for n, w := range all {
		if inboxes += len(w.inboxes); inboxes > lookFor && n > 0 {
			return n
		}
	}
	return len(all)
}

// noteSeen begins to note the signs of life, and returns what is closed when they are noted.
// Who notes them may wait for other writers: looks go on meanwhile, and later signs are noted
// afterwards. The caller has the mutex.
func (l *lookout) noteSeen() (noted chan struct{}) {
	noted = make(chan struct{})
	if l.noting || len(l.seen) == 0 {
		close(noted)
		return noted
	}
	l.noting = true
	seen := l.seen
	l.seen = map[Address]time.Time{}
	go func() {
		defer close(noted)
		l.note(seen)
	}()
	return noted
}

// note notes signs of life. Without them a session looks silent for a moment.
func (l *lookout) note(seen map[Address]time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	latest := slices.MaxFunc(slices.Collect(maps.Values(seen)), time.Time.Compare)
	_ = contained(func() error {
		return l.store.NoteAllSeen(ctx, slices.Collect(maps.Keys(seen)), latest, latest.Add(-noteTogether))
	})
	l.mutex.Lock()
	l.noting = false
	l.mutex.Unlock()
}

// look looks once for waiters.
func (l *lookout) look(all []*watch) {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	var of []Address
	for _, w := range all {
		of = append(of, w.inboxes...)
	}
	var views []SessionView
	err := contained(func() (err error) {
		views, err = l.store.PeekInboxes(ctx, of)
		return err
	})
	for _, w := range all {
		var own []SessionView
		if err == nil {
			own, views = views[:len(w.inboxes)], views[len(w.inboxes):]
		}
		select { // a look that nobody took is replaced
		case <-w.views:
		default:
		}
		w.views <- own
	}
}

// waitMail calls check with a look at the inboxes of all until it reports true, or fails, or
// until ctx or drain has ended; then it answers false. It looks when somebody rings for one
// of them, and once a second together with whoever else waits in this process.
func (s *Service) waitMail(ctx context.Context, all []Credentials, drain <-chan struct{}, check func(context.Context, []SessionView) (bool, error)) (bool, error) {
	look := func(views []SessionView) (found bool, err error) {
		if views == nil {
			if views, err = s.peekEach(ctx, all); err != nil || ctx.Err() != nil {
				return false, err
			}
		}
		return check(ctx, views)
	}
	if found, err := look(nil); found || err != nil {
		return found, err
	}
	keys := make([]string, len(all))
	for i, c := range all {
		keys[i] = bellKey(c.Conversation, c.Session)
	}
	rings, stop, err := together{s.bells, keys}.Listen("")
	if err != nil {
		return wait(ctx, silence{}, "", drain, func(context.Context) (bool, error) { return look(nil) })
	}
	defer func() { _ = stop() }()
	w := s.lookout.join(addresses(all))
	defer s.lookout.leave(w)
	return eachTime(ctx, drain, rings, w.views, look)
}

// peekEach looks at the inboxes of all. The error is nil where ctx has ended.
func (s *Service) peekEach(ctx context.Context, all []Credentials) (views []SessionView, err error) {
	for _, of := range addresses(all) {
		view, err := s.store.PeekInbox(ctx, of.Conversation, of.Session)
		if ctx.Err() != nil {
			return nil, nil //nolint:nilerr // the end of the wait is no failure
		}
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}
