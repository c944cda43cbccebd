package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Clock is the server's clock, as this process knows it: what processes on several
// machines note must be comparable. It goes on by the process's own steady clock
// between two looks at the server's.
type Clock struct {
	pool *pgxpool.Pool

	mutex   sync.Mutex
	read    time.Time // the process's time of the last look
	at      time.Time // the server's time then
	unsure  time.Duration
	looking bool
	running sync.WaitGroup
}

// Times of looks at the server's clock.
const (
	lookEvery  = 30 * time.Second
	lookWithin = 5 * time.Second
	looks      = 3 // of which the quickest counts
)

// MaxUnsure is how far a clock may be off before a process should not serve: what
// it notes would not fit what others note.
const MaxUnsure = 250 * time.Millisecond

// NewClock looks at the clock of the server that pool connects to.
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
	_ = c.look(ctx) // without an answer, the clock goes on as it went
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.looking = false
}

// Unsure is how far the clock may be off.
func (c *Clock) Unsure() time.Duration {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.unsure
}

// look asks the server for the time. The answer was true at some moment of the
// question's way: the shorter the way, the better it is known.
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

// Close waits for a look that is under way. Call it before that of the store.
func (c *Clock) Close() error {
	c.running.Wait()
	return nil
}
