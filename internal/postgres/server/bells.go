package server

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.org/bridge/internal/sleep"
)

// Bells wake waiters on any machine through LISTEN and NOTIFY. It implements
// bridge.Notifier. A process has one listening connection for all its waiters, and
// sends notifications after the commit that they announce: NOTIFY within a transaction
// would make all writers wait for one lock.
//
// A lost notification delays a waiter until its next regular look. When the listening
// connection was lost, all waiters are woken.
type Bells struct {
	pool    *pgxpool.Pool
	channel string
	ctx     context.Context //nolint:containedctx // of the goroutines, until Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	mutex     sync.Mutex
	waiters   map[string]map[chan struct{}]bool
	pending   map[string]bool // keys still to be announced
	ringing   bool
	listening bool
	closed    bool
	healthy   bool
}

// Times of the listening connection.
const (
	probeEvery = 5 * time.Second // interval between probes of a silent connection
	probeFor   = 2 * time.Second
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
	ringWithin = 2 * time.Second
)

// ring sends a notification. A transaction that notifies writes to the server's
// write-ahead log, and all other notifying transactions wait for its end. So it does
// not wait for the disk, since a hint need not survive a crash
// (https://www.postgresql.org/docs/current/runtime-config-wal.html,
// synchronous_commit).
const ring = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"

// maxPayload is below the limit of a NOTIFY payload, 8000 bytes
// (https://www.postgresql.org/docs/current/sql-notify.html).
const maxPayload = 7000

// NewBells returns doorbells that use the given notification channel. Close them before
// the pool.
func NewBells(pool *pgxpool.Pool, channel string) *Bells {
	ctx, cancel := context.WithCancel(context.Background())
	return &Bells{
		pool: pool, channel: channel, ctx: ctx, cancel: cancel,
		waiters: map[string]map[chan struct{}]bool{}, pending: map[string]bool{},
	}
}

// Ring implements bridge.Notifier.
func (b *Bells) Ring(key string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.wake(key)
	if b.closed {
		return
	}
	b.pending[key] = true
	if !b.ringing {
		b.ringing = true
		b.running.Go(b.ringAll)
	}
}

// ringAll sends notifications until no keys are pending. Keys that arrive while one
// NOTIFY is in progress are sent with the next.
func (b *Bells) ringAll() {
	for {
		b.mutex.Lock()
		keys := slices.Sorted(maps.Keys(b.pending))
		clear(b.pending)
		if len(keys) == 0 {
			b.ringing = false
			b.mutex.Unlock()
			return
		}
		b.mutex.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), ringWithin)
		for _, payload := range payloads(keys) {
			_, _ = b.pool.Exec(ctx, ring, b.channel, payload) // only a hint, so errors are ignored: waiters look regularly
		}
		cancel()
	}
}

// payloads joins keys into as few payloads as possible.
func payloads(keys []string) (all []string) {
	var b strings.Builder
	for _, key := range keys {
		if b.Len() > 0 && b.Len()+len(key)+1 > maxPayload {
			all = append(all, b.String())
			b.Reset()
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(key)
	}
	return append(all, b.String())
}

// wake wakes those who listen for key. The mutex must be held.
func (b *Bells) wake(key string) {
	for rings := range b.waiters[key] {
		select {
		case rings <- struct{}{}:
		default:
		}
	}
}

// Listen implements bridge.Notifier.
func (b *Bells) Listen(key string) (rings <-chan struct{}, stop func() error, err error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.closed {
		return nil, nil, errors.New("the doorbells are closed")
	}
	if !b.listening {
		b.listening = true
		b.running.Go(b.listen)
	}
	own := make(chan struct{}, 1)
	if b.waiters[key] == nil {
		b.waiters[key] = map[chan struct{}]bool{}
	}
	b.waiters[key][own] = true
	return own, func() error {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		delete(b.waiters[key], own)
		if len(b.waiters[key]) == 0 {
			delete(b.waiters, key)
		}
		return nil
	}, nil
}

// listen maintains a listening connection until Close.
func (b *Bells) listen() {
	pause := firstRetry
	for b.ctx.Err() == nil {
		began := time.Now()
		_ = b.listenOnce() // it always ends with an error: the connection was lost
		b.setHealthy(false)
		if time.Since(began) > lastRetry {
			pause = firstRetry
		}
		_ = sleep.For(b.ctx, pause)
		pause = min(2*pause, lastRetry)
	}
}

func (b *Bells) listenOnce() error {
	c, err := pgx.ConnectConfig(b.ctx, b.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(b.ctx)) }()
	if _, err := c.Exec(b.ctx, "LISTEN "+pgx.Identifier{b.channel}.Sanitize()); err != nil {
		return err
	}
	if err := b.probe(c); err != nil { // a pooler in between may accept LISTEN and deliver nothing
		return err
	}
	b.setHealthy(true)
	b.wakeAll()
	for {
		switch err := b.await(c, probeEvery); {
		case errors.Is(err, context.DeadlineExceeded) && b.ctx.Err() == nil:
			if err := b.probe(c); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

// await waits for one notification.
func (b *Bells) await(c *pgx.Conn, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	n, err := c.WaitForNotification(ctx)
	if err != nil {
		return errors.Join(err, ctx.Err())
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for key := range strings.SplitSeq(n.Payload, "\n") {
		b.wake(key)
	}
	return nil
}

// probe sends a notification on the listening connection and waits until it arrives.
func (b *Bells) probe(c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(b.ctx, probeFor)
	defer cancel()
	if _, err := c.Exec(ctx, ring, b.channel, ""); err != nil {
		return err
	}
	return b.await(c, probeFor)
}

func (b *Bells) setHealthy(healthy bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.healthy = healthy
}

// Healthy reports whether notifications of other processes are currently arriving.
func (b *Bells) Healthy() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.healthy
}

func (b *Bells) wakeAll() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for key := range b.waiters {
		b.wake(key)
	}
}

// Close stops listening. It waits for notifications being sent, each of which has a
// time limit.
func (b *Bells) Close() error {
	b.mutex.Lock()
	b.closed = true
	b.mutex.Unlock()
	b.cancel() // stops the listener, but not the senders
	b.running.Wait()
	return nil
}
