package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
	"example.org/bridge/internal/sqlstore"
)

// sealEvery is the longest time until the spine covers a new log entry.
const sealEvery = time.Second

// sealer extends the spine after operations of this process. If the process is killed
// before that, the next reader of the log does it.
type sealer struct {
	changed chan struct{}
	stop    context.CancelFunc
	ended   sync.WaitGroup
}

func newSealer(s *Store) *sealer {
	ctx, stop := context.WithCancel(context.Background())
	l := &sealer{changed: make(chan struct{}, 1), stop: stop}
	l.ended.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-l.changed:
			}
			if sleep.For(ctx, sealEvery) != nil {
				return
			}
			// An error here occurs again, and is reported, when the log is verified.
			_ = s.seal(ctx, false)
		}
	})
	return l
}

// wake tells the sealer that there are entries to cover.
func (l *sealer) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *sealer) close() {
	l.stop()
	l.ended.Wait()
}

// seal makes the spine cover every entry that is committed now. If another process is
// doing so, seal waits for it if wait is set, and otherwise does nothing. The error is
// an *audit.Fault if a chain is not what the bridge wrote; the spine is then left as it
// is.
func (s *Store) seal(ctx context.Context, wait bool) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		if wait {
			c.lock(s.schema, "spine", "")
		} else {
			var free bool
			err := c.get("SELECT pg_try_advisory_xact_lock($1)", []any{lockNumber(s.schema, "spine", "")}, &free)
			if err != nil || !free {
				return relaxed, err
			}
		}
		if err := c.checkCurrent(); err != nil {
			return relaxed, err
		}
		return durable, s.extendSpine(c)
	})
}

// span is the part of a chain that the spine does not cover yet.
type span struct {
	chain       string
	sealed, end audit.Head
}

func (s *Store) extendSpine(c *conn) error {
	spans, err := openSpans(c)
	if err != nil || len(spans) == 0 {
		return err
	}
	var log, spine audit.Head
	// The log ends with the spine, unless it was copied and has no spine yet.
	err = c.get("SELECT link, seq, CASE WHEN link > 0 THEN mac END FROM audit_head", nil, &spine.Seq, &log.Seq, &spine.MAC)
	if errors.Is(err, errNoRow) {
		return &audit.Fault{Problem: "the head of the spine was removed"}
	}
	if err != nil {
		return err
	}
	entries, err := s.uncovered(c, spans, log.Seq)
	if err != nil {
		return err
	}
	for _, e := range entries {
		c.later("INSERT INTO audit_order (seq, chain, link) VALUES ($1, $2, $3)", e.Seq, e.Chain, e.Link)
	}
	var chains []string
	var links []int64
	for _, sp := range spans {
		c.later("INSERT INTO audit_sealed (chain, link, mac) VALUES ($1, $2, $3) ON CONFLICT (chain) DO UPDATE SET link = $2, mac = $3",
			sp.chain, sp.end.Seq, sp.end.MAC)
		chains, links = append(chains, sp.chain), append(links, sp.end.Seq)
	}
	line, spine, log := s.chain.Cover(spine, audit.Entry{Time: time.Now().UTC().Truncate(time.Microsecond)}, entries)
	c.later("INSERT INTO audit_spine (link, seq, at, details, mac) VALUES ($1, $2, $3, $4, $5)", line.Link, line.Seq, line.Time, line.Details, line.MAC)
	c.later("UPDATE audit_head SET link = $1, seq = $2, mac = $3, seal = $4", spine.Seq, log.Seq, log.MAC, log.Seal)
	// A chain that another transaction is extending keeps its mark and is examined
	// again.
	c.later(`
		UPDATE audit_chains SET unsealed = false WHERE chain IN (
		    SELECT a.chain FROM audit_chains a JOIN unnest($1::text[], $2::bigint[]) AS n (chain, link) ON n.chain = a.chain AND n.link = a.link
		    FOR UPDATE OF a SKIP LOCKED)`, chains, links)
	return nil
}

// openSpans returns the uncovered parts of all chains.
func openSpans(c *conn) (all []span, err error) {
	var sp span
	err = c.each(`
		SELECT c.chain, c.link, c.mac, c.seal, s.link, s.mac FROM audit_chains c LEFT JOIN audit_sealed s ON s.chain = c.chain
		WHERE c.unsealed AND c.link > coalesce(s.link, 0) ORDER BY c.chain`, nil,
		[]any{&sp.chain, &sp.end.Seq, &sp.end.MAC, &sp.end.Seal, &sp.sealed.Seq, &sp.sealed.MAC}, func() error {
			all = append(all, sp)
			return nil
		})
	return all, err
}

// uncovered returns the entries of spans in the order in which they were written,
// numbered after last. It checks that they are what the bridge wrote.
func (s *Store) uncovered(c *conn, spans []span, last int64) (all []audit.Entry, err error) {
	heads := map[string]audit.Head{}
	var chains []string
	var from, to []int64
	for _, sp := range spans {
		heads[sp.chain] = sp.sealed
		chains, from, to = append(chains, sp.chain), append(from, sp.sealed.Seq), append(to, sp.end.Seq)
	}
	var e audit.Entry
	err = c.each(selectLine+`
		FROM audit_log l JOIN unnest($1::text[], $2::bigint[], $3::bigint[]) AS n (chain, first, last)
		    ON l.chain = n.chain AND l.link > n.first AND l.link <= n.last
		ORDER BY l.id`, []any{chains, from, to}, lineDest(&e), func() error {
		last++
		e := c.opened(e)
		e.Seq = last
		if fault := s.chain.Follows(heads[e.Chain], e); fault != nil {
			return &audit.Fault{Seq: e.Seq, Problem: fault.Error()}
		}
		heads[e.Chain] = audit.Head{Seq: e.Link, MAC: e.MAC}
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, sp := range spans {
		if heads[sp.chain].Seq != sp.end.Seq || !s.chain.Sealed(sp.chain, sp.end) || string(heads[sp.chain].MAC) != string(sp.end.MAC) {
			return nil, &audit.Fault{Seq: last + 1, Problem: "the end of chain " + sp.chain + " does not match its head"}
		}
	}
	return all, nil
}

const selectLine = "SELECT l.chain, l.link, l.at, l.conversation, l.session, l.action, l.outcome, l.details, l.mac "

// opened returns a verified entry with its details in clear.
func (c *conn) opened(e audit.Entry) audit.Entry {
	e.Details = sqlstore.OpenDetails(c.box, e.Details, e.Time, e.Conversation, e.Session, e.Action, e.Outcome)
	return e
}

func lineDest(e *audit.Entry) []any {
	return []any{&e.Chain, &e.Link, &e.Time, &e.Conversation, &e.Session, &e.Action, &e.Outcome, &e.Details, &e.MAC}
}

// sealed makes the spine cover what was acknowledged so far. A fault in the log is not
// an error here, because the log is to be shown nevertheless.
func (s *Store) sealed(ctx context.Context) error {
	err := s.seal(ctx, true)
	var fault *audit.Fault
	if errors.As(err, &fault) || errors.Is(err, bridge.ErrStoreReadOnly) {
		return nil
	}
	return err
}
