package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite/storefile"
)

// belongTogether reports, as ErrStoreDamaged, a database beside the log of
// another state of it: a copy was put in the database's place and the log was
// left. SQLite takes such a log for the database's own, and mixes pages of both.
//
// The chain of the audit log tells: the database alone is of an earlier moment
// than the database with its log, and all that was recorded in between must be
// there, on from the very entry at which the database alone ends. It looks only
// where a log was left behind and nobody has the store open, and changes nothing.
func belongTogether(path string) error {
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 || storefile.Running(path) {
		return nil //nolint:nilerr // there is nothing that could not belong to it
	}
	var alone state
	if err := withConn(path, untouched, nil, alone.read); err != nil {
		return nil //nolint:nilerr // a process died while it moved the log into the database, which the log repairs
	}
	fits := false
	err := withConn(path, "ro", nil, func(c *conn) error {
		return transact(c, "BEGIN", func(c *conn) (err error) {
			fits, err = alone.leadsTo(c)
			return err
		})
	})
	switch {
	case isDamage(err), err == nil && !fits:
		return fmt.Errorf("%w: %s and its log (%[2]s-wal) do not belong together, as where a copy was put beside a log that was left: "+
			"stop all bridge processes and keep both; move %[2]s-wal and %[2]s-shm away to use the copy alone", bridge.ErrStoreDamaged, path)
	case err != nil:
		return translate(path, err)
	}
	return nil
}

// state is what identifies a moment of a store.
type state struct {
	id, mac []byte
	seq     int64
}

func (s *state) read(c *conn) error {
	return transact(c, "BEGIN", func(c *conn) error {
		return errors.Join(
			c.get("SELECT id FROM store", nil, &s.id),
			c.get("SELECT seq, mac FROM audit_head", nil, &s.seq, &s.mac))
	})
}

// leadsTo reports whether c is of the same store at the same moment or later.
func (s *state) leadsTo(c *conn) (bool, error) {
	var now, then state
	err := errors.Join(
		c.get("SELECT id FROM store", nil, &now.id),
		c.get("SELECT seq, mac FROM audit_head", nil, &now.seq, &now.mac))
	if err != nil {
		return false, err
	}
	if !bytes.Equal(s.id, now.id) || s.seq > now.seq {
		return false, nil
	}
	if s.seq > 0 {
		err := c.get("SELECT mac FROM audit_log WHERE seq = ?", []any{s.seq}, &then.mac)
		if errors.Is(err, errNoRow) {
			return false, nil
		}
		if err != nil || !bytes.Equal(then.mac, s.mac) {
			return false, err
		}
	}
	var since int64
	err = c.get("SELECT count(*) FROM audit_log WHERE seq > ?", []any{s.seq}, &since)
	return since == now.seq-s.seq, err
}
