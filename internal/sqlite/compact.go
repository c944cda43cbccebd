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
	// compactPages is how many pages are given back in one transaction, while
	// everybody else waits.
	compactPages = 1000
	// compactTries and compactPause bound how long a compaction waits for readers
	// who need the log.
	compactTries = 20
	compactPause = 100 * time.Millisecond

	// logLimit is what the log grows to between two checkpoints, in bytes (1000
	// pages). It grows on while somebody reads from it.
	logLimit = 4 << 20
	// largeLog is when somebody has read for long, and shrinkEvery how often a
	// process looks whether that has ended.
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

// giveBack makes the file as small as what it holds.
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

// incremental is the mode of a file that can become smaller in steps.
const incremental = 2

// rewrite writes the whole file again, for a store that an older version made, where
// a quarter of it or more is free. From then on it becomes smaller in steps.
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

// emptyLog moves the log into the database and empties it, so that nothing of
// what was removed can be read there. Who reads just now may need it for a while.
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
	return fmt.Errorf("%w: another process reads from the log of the store, which keeps words that were removed until it has ended", bridge.ErrStoreBusy)
}

// shrinkLog empties a log that has grown while somebody read from it, once nobody
// does any more. SQLite itself begins the log again only when somebody writes, and a
// reader may leave a store in which nobody does. Whoever reads next, or waits for a
// message, comes by here. What cannot be done now is done later.
func (s *Store) shrinkLog(ctx context.Context) {
	if s.read.files.LogSize() < largeLog || !s.mayShrink() {
		return
	}
	// Others go on writing while it is moved into the database.
	var busy, logged, moved int64
	err := s.read.alone(ctx, func(c *conn) error {
		return c.get("PRAGMA wal_checkpoint(PASSIVE)", nil, &busy, &logged, &moved)
	})
	if err != nil || busy != 0 || moved < logged {
		return
	}
	_ = s.write.alone(ctx, func(c *conn) error {
		// Without waiting for readers, because writers would wait, too.
		if _, err := c.exec("PRAGMA busy_timeout = 0"); err != nil {
			return err
		}
		err := c.get("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &logged, &moved)
		_, restored := c.exec(waitSlice)
		return errors.Join(err, restored)
	})
}

// mayShrink lets one of the store's readers through in each shrinkEvery.
func (s *Store) mayShrink() bool {
	now, last := time.Now().UnixNano(), s.shrunk.Load()
	return (last == 0 || now-last >= shrinkEvery.Nanoseconds()) && s.shrunk.CompareAndSwap(last, now)
}

// alone runs fn in the writer's turn, outside of a transaction.
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

// fewMessages is how many messages are removed at once on a full disk.
const fewMessages = 4

// oldestOf are a few messages of a conversation.
const oldestOf = "SELECT id FROM messages WHERE conversation = ? ORDER BY id LIMIT ? + 0"

// makeRoom removes the messages of the conversations that expired before a time, by an
// end that is genuine, few at once, with the room that the reserve held. Their log is
// moved into the database each time, so that the next few need no more room. The
// conversations themselves, and what is recorded of them, stay for the removal that
// follows.
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

// nextToEmpty is the first conversation from an id on whose messages makeRoom removes.
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

// AtRest reports how the texts of the store are kept.
func (s *Store) AtRest(ctx context.Context) (state atrest.State, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		state = c.cipher.State
		return nil
	})
	return state, err
}

// Convert encrypts the texts of the store, or decrypts them, while other processes go
// on: from its first transaction on all that is written is of the new kind, then what is
// there is converted a page at a time, and texts of both kinds can be read meanwhile. A
// process that is killed leaves the store in atrest.TurningOn or TurningOff; calling
// Convert again completes it. At the end of an encryption the file is written again and
// the log emptied, so that no clear text is left in either; bridge.ErrStoreBusy reports
// that somebody reads from the log for too long. op is recorded when it begins and when
// it is done. converted is told of rows, and may be nil. bridge.ErrStoreBusy reports,
// too, that another conversion has begun or ended meanwhile.
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

// setState brings the store into another state, if check finds nothing against it.
func (s *Store) setState(ctx context.Context, op bridge.Operation, to atrest.State, check func(sqlstore.Conn) error) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		if err := check(e.sql()); err != nil {
			return err
		}
		e.cipher.State = to
		return setVersion(e.conn, to.Mark(int64(SchemaVersion())))
	})
}

// scrub leaves nothing in the files that is not in a row.
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
