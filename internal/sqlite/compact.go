package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/sqlstore"
)

const (
	// compactPages is the number of pages given back to the file system in one
	// transaction, during which all other writers wait.
	compactPages = 1000
	// compactTries and compactPause bound how long a compaction waits for readers that
	// still need the log.
	compactTries = 20
	compactPause = 100 * time.Millisecond

	// logLimit is the size in bytes to which the log grows between two checkpoints
	// (1000 pages). It grows further while a process reads from it.
	logLimit = 4 << 20
	// largeLog is the size at which a long read is assumed, and shrinkEvery how often a
	// process checks whether that read has ended.
	largeLog    = 2 * logLimit
	shrinkEvery = 10 * time.Second
)

// Compact implements bridge.Store.
func (s *Store) Compact(ctx context.Context) error {
	if err := s.giveBack(ctx); err != nil {
		return err
	}
	return s.emptyLog(ctx)
}

// giveBack shrinks the file to the size of its content.
func (s *Store) giveBack(ctx context.Context) error {
	for {
		var free, mode int64
		err := s.write.alone(ctx, func(c *conn) error {
			err := errors.Join(c.get("PRAGMA freelist_count", nil, &free), c.get("PRAGMA auto_vacuum", nil, &mode))
			if err != nil || free == 0 {
				return err
			}
			if mode == incremental {
				_, err := c.exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", compactPages))
				return err
			}
			return rewrite(c, free)
		})
		if err != nil || free <= compactPages || mode != incremental {
			return err
		}
	}
}

// incremental is the auto_vacuum mode of a file that can shrink in steps.
const incremental = 2

// rewrite rewrites the whole file of a store made by an older version if at least a
// quarter of it is free. From then on the file can shrink in steps.
func rewrite(c *conn, free int64) error {
	var pages int64
	if err := c.get("PRAGMA page_count", nil, &pages); err != nil || free < pages/4 {
		return err
	}
	if _, err := c.exec("PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
		return err
	}
	_, err := c.exec("VACUUM")
	return err
}

// emptyLog checkpoints the log into the database and truncates it, so that removed
// content cannot be read from it. A current reader may keep the log in use for a while.
func (s *Store) emptyLog(ctx context.Context) error {
	for try := range compactTries {
		var busy, logged, moved int64
		err := s.write.alone(ctx, func(c *conn) error {
			return c.get("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &logged, &moved)
		})
		if err != nil || busy == 0 {
			return err
		}
		if try == compactTries-1 {
			break
		}
		if err := sleep.For(ctx, compactPause); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: another process is reading from the log of the store, which may contain removed text until that process has finished", bridge.ErrStoreBusy)
}

// shrinkLog truncates a log that has grown during a long read, once that read has
// ended. SQLite itself restarts the log only on a write, and the store may have no
// writers when a reader ends. So it is called by every read and every wait for mail.
// Errors are ignored: a later call tries again.
func (s *Store) shrinkLog(ctx context.Context) {
	if s.read.files.LogSize() < largeLog || !s.mayShrink() {
		return
	}
	// A passive checkpoint does not block writers.
	var busy, logged, moved int64
	err := s.read.alone(ctx, func(c *conn) error {
		return c.get("PRAGMA wal_checkpoint(PASSIVE)", nil, &busy, &logged, &moved)
	})
	if err != nil || busy != 0 || moved < logged {
		return
	}
	_ = s.write.alone(ctx, func(c *conn) error {
		// Do not wait for readers, because writers would have to wait as well.
		if _, err := c.exec("PRAGMA busy_timeout = 0"); err != nil {
			return err
		}
		err := c.get("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &logged, &moved)
		_, restored := c.exec(waitSlice)
		return errors.Join(err, restored)
	})
}

// mayShrink returns true to one reader of the store in each shrinkEvery.
func (s *Store) mayShrink() bool {
	now, last := time.Now().UnixNano(), s.shrunk.Load()
	return (last == 0 || now-last >= shrinkEvery.Nanoseconds()) && s.shrunk.CompareAndSwap(last, now)
}

// alone runs fn when it is the writer's turn, outside of a transaction.
func (w *writer) alone(ctx context.Context, fn func(*conn) error) error {
	release, err := w.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := w.files.Check(); err != nil {
		return err
	}
	leave, err := w.turnstile.Enter(ctx)
	if err != nil {
		return w.files.late(err)
	}
	defer leave()
	if err := w.files.current(w.conn); err != nil {
		return w.files.explain(err)
	}
	return w.files.explain(fn(w.conn))
}

// fewMessages is how many messages one transaction removes when the disk is full.
const fewMessages = 4

// oldestOf selects the oldest messages of a conversation, up to a limit.
const oldestOf = "SELECT id FROM messages WHERE conversation = ? ORDER BY id LIMIT ? + 0"

// makeRoom frees space on a full disk. It releases the reserve, and then removes the
// messages of conversations whose genuine expiry is before a time, a few per
// transaction. After each transaction the log is checkpointed and restarted, so that
// the next one needs no more space. The conversations themselves and their other rows
// are left for the regular removal that follows.
func (s *Store) makeRoom(ctx context.Context, before time.Time, genuine bridge.EndCheck) error {
	storefile.FreeReserve(s.path)
	var at string
	var found bool
	for {
		err := s.write.do(ctx, func(c *conn) (durability, error) {
			var err error
			if at, found, err = nextToEmpty(c, at, before, genuine); err != nil || !found {
				return relaxed, err
			}
			for _, query := range []string{"DELETE FROM copies WHERE message IN (" + oldestOf + ")", "DELETE FROM messages WHERE id IN (" + oldestOf + ")"} {
				if _, err := c.exec(query, at, fewMessages); err != nil {
					return relaxed, err
				}
			}
			return relaxed, nil
		})
		if err != nil || !found {
			return err
		}
		err = s.write.alone(ctx, func(c *conn) error {
			_, err := c.exec("PRAGMA wal_checkpoint(RESTART)")
			return err
		})
		if err != nil {
			return err
		}
	}
}

// nextToEmpty returns the first conversation, from an id on, whose messages makeRoom
// removes.
func nextToEmpty(c *conn, from string, before time.Time, genuine bridge.EndCheck) (id string, found bool, err error) {
	var end storefile.End
	err = c.each(`
		SELECT id, expires_at, expiry_seal FROM conversations
		WHERE id >= ? AND expires_at <= ? AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation = conversations.id)
		ORDER BY id`, []any{from, before}, []any{&end.Conversation, &end.At, &end.Seal}, func() error {
		if !genuine(end.Conversation, end.At, end.Seal) {
			return nil
		}
		id, found = end.Conversation, true
		return errStop
	})
	return id, found, err
}

// AtRest reports how the store's texts are stored.
func (s *Store) AtRest(ctx context.Context) (state atrest.State, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		state = c.cipher.State
		return nil
	})
	return state, err
}

// Convert encrypts or decrypts the texts of the store while other processes continue.
// From the first transaction on, everything that is written has the new form. The
// existing rows are then converted a page at a time; meanwhile texts of both forms can
// be read. If the process is killed, the store stays in atrest.TurningOn or
// atrest.TurningOff, and calling Convert again completes the conversion. After an
// encryption the file is rewritten and the log emptied, so that neither holds clear
// text. The error is bridge.ErrStoreBusy if a process keeps reading from the log for
// too long, or if another conversion has begun or ended meanwhile. op is recorded at
// the beginning and at the end. converted is called with the number of rows so far, and
// may be nil.
func (s *Store) Convert(ctx context.Context, op bridge.Operation, on bool, converted func(rows int64)) (done atrest.Converted, err error) {
	return sqlstore.Conversion{
		On: on, Tables: sqlstore.Convertibles(dialect.AuditKey...), Converted: converted,
		Last: "SELECT seq FROM audit_head", Since: "seq > ?1",
		State: func() (atrest.State, error) { return s.AtRest(ctx) },
		Set: func(op bridge.Operation, to atrest.State, check func(sqlstore.Conn) error) error {
			return s.setState(ctx, op, to, check)
		},
		Do: func(fn func(sqlstore.Conn) error) error {
			return s.write.do(ctx, func(c *conn) (durability, error) { return relaxed, fn(c.sql()) })
		},
		Scrub: func() (bool, error) { return false, s.scrub(ctx) },
	}.Run(op)
}

// setState changes the state of the store, unless check returns an error.
func (s *Store) setState(ctx context.Context, op bridge.Operation, to atrest.State, check func(sqlstore.Conn) error) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		if err := check(e.sql()); err != nil {
			return err
		}
		e.cipher.State = to
		return setVersion(e.conn, to.Mark(int64(SchemaVersion())))
	})
}

// scrub removes from the files everything that is not in a row.
func (s *Store) scrub(ctx context.Context) error {
	err := s.write.alone(ctx, func(c *conn) error {
		_, err := c.exec("VACUUM")
		return err
	})
	if err != nil {
		return err
	}
	return s.emptyLog(ctx)
}
