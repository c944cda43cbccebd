package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Clock follows the server's clock, so that times recorded by processes on different
// machines are comparable. Between two queries of the server's time it advances with
// the process's monotonic clock.
type Clock struct {
	pool *pgxpool.Pool

	mutex   sync.Mutex
	read    time.Time // local time of the last query
	at      time.Time // the server's time then
	unsure  time.Duration
	looking bool
	running sync.WaitGroup
}

// Times of the queries of the server's clock.
const (
	lookEvery  = 30 * time.Second
	lookWithin = 5 * time.Second
	looks      = 3 // number of queries, of which the fastest counts
)

// MaxUnsure is the uncertainty of a clock beyond which a process should not serve,
// because its times would not fit those of others.
const MaxUnsure = 250 * time.Millisecond

// NewClock queries the clock of the server that pool connects to.
func NewClock(ctx context.Context, pool *pgxpool.Pool) (*Clock, error) {
	c := &Clock{pool: pool, unsure: time.Hour}
	return c, c.look(ctx)
}

// Now returns the server's time.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if time.Since(c.read) > lookEvery && !c.looking {
		c.looking = true
		c.running.Go(c.lookAgain)
	}
	return c.at.Add(time.Since(c.read))
}

func (c *Clock) lookAgain() {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	_ = c.look(ctx) // if it fails, the clock continues as before
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.looking = false
}

// Unsure returns how far the clock may be off.
func (c *Clock) Unsure() time.Duration {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.unsure
}

// look queries the server's time. The answer was correct at some moment between
// question and answer, so the shorter that took, the more precise it is.
func (c *Clock) look(ctx context.Context) error {
	var errs []error
	best := time.Hour
	var read, at time.Time
	for range looks {
		began := time.Now()
		var us int64
		err := c.pool.QueryRow(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").Scan(&us)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if way := time.Since(began); way < best {
			best, read, at = way, began.Add(way/2), time.UnixMicro(us).UTC()
		}
	}
	if len(errs) == looks {
		return Translate(errors.Join(errs...))
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.read, c.at, c.unsure = read, at, best/2
	return nil
}

// Close waits for a query in progress. Call it before closing the store.
func (c *Clock) Close() error {
	c.running.Wait()
	return nil
}
