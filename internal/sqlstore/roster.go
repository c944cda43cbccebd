package sqlstore

import (
	"errors"

	"example.org/bridge/internal/bridge"
)

// rosterColumns are the columns of a session s for its roster entry.
const rosterColumns = `s.session, s.role, s.status, s.seen_at, s.last_seq, s.last_seq - s.read_seq, s.receipt_id, s.receipt_at, s.joined_at,
	CASE WHEN s.joined_at <> 0 THEN 0 ELSE s.join_expires_at END`

// rosterRow is the destination for rosterColumns.
type rosterRow struct {
	bridge.SessionState
	session, status string
}

func (r *rosterRow) dest() []any {
	return []any{&r.session, &r.Role, &r.status, &r.SeenAt, &r.Received, &r.Unread, &r.ReadID, &r.ReadAt, &r.JoinedAt, &r.KeptUntil}
}

func (r *rosterRow) state() bridge.SessionState {
	s := r.SessionState
	s.Session, s.Status = bridge.SessionID(r.session), bridge.Status(r.status)
	return s
}

// Roster returns the sessions of a conversation.
func Roster(c Conn, conversation string) (all bridge.Roster, err error) {
	var row rosterRow
	err = c.Each("SELECT "+rosterColumns+" FROM session_status s WHERE s.conversation = ?1 ORDER BY s.session",
		[]any{conversation}, row.dest(), func() error {
			all = append(all, row.state())
			return nil
		})
	return all, err
}

const selectOverview = `
	SELECT c.id, c.team, c.team_id, c.created_at, c.expires_at, c.expiry_seal, c.copies, ` + rosterColumns + `
	FROM conversations c JOIN session_status s ON s.conversation = c.id`

// Overview returns one conversation. The error may be bridge.ErrNotFound.
func Overview(c Conn, id string) (bridge.Overview, error) {
	all, err := readOverviews(c, " WHERE c.id = ?1 ORDER BY s.session", id)
	if err == nil && len(all) == 0 {
		return bridge.Overview{}, bridge.ErrNotFound
	}
	if err != nil {
		return bridge.Overview{}, err
	}
	return all[0], nil
}

// Overviews returns the conversations (alias c) for which the SQL condition where is
// true, newest first.
func Overviews(c Conn, where string, args ...any) ([]bridge.Overview, error) {
	return readOverviews(c, where+" ORDER BY c.created_at DESC, c.id, s.session", args...)
}

// readOverviews reads the rows of selectOverview. The rows of a conversation must be
// adjacent.
func readOverviews(c Conn, where string, args ...any) (all []bridge.Overview, err error) {
	var o bridge.Overview
	var row rosterRow
	dest := append([]any{&o.ID, &o.Team, &o.TeamID, &o.CreatedAt, &o.ExpiresAt, &o.ExpirySeal, &o.Copies}, row.dest()...)
	err = c.Each(selectOverview+where, args, dest, func() error {
		if len(all) == 0 || all[len(all)-1].ID != o.ID {
			all = append(all, o)
		}
		last := &all[len(all)-1]
		last.Sessions = append(last.Sessions, row.state())
		return nil
	})
	return all, err
}

// AddSession stores a session whose name the conversation does not have yet.
func AddSession(c Conn, conversation string, s bridge.NewSession) error {
	return c.Later("INSERT INTO session_status (conversation, session, nonce, fingerprint, role, join_hash, join_expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		conversation, string(s.Session), s.Nonce, s.Print, s.Role, Blob(s.JoinHash), s.JoinExpiresAt)
}

// ReplaceSession stores a session, in place of the one with its name if there is one.
func ReplaceSession(c Conn, conversation string, s bridge.NewSession) error {
	err := c.Later("DELETE FROM session_status WHERE conversation = ?1 AND session = ?2", conversation, string(s.Session))
	if err != nil {
		return err
	}
	if err := AddSession(c, conversation, s); err != nil {
		return err
	}
	return c.Later("UPDATE conversations SET sessions = (SELECT count(*) FROM session_status WHERE conversation = ?1) WHERE id = ?1", conversation)
}

// Invitation returns the session that a join code with a hash is for, or the zero
// value.
func Invitation(c Conn, hash []byte) (i bridge.Invitation, err error) {
	var session string
	err = c.Get(`
		SELECT c.id, c.team, c.team_id, c.created_at, c.expires_at, c.expiry_seal, s.session, s.joined_at, s.join_expires_at, s.nonce, s.last_seq - s.read_seq,
		       EXISTS (SELECT 1 FROM pauses WHERE conversation IN ('', c.id))
		FROM session_status s JOIN conversations c ON c.id = s.conversation
		WHERE s.join_hash = ?1`, []any{hash},
		&i.ID, &i.Team, &i.TeamID, &i.CreatedAt, &i.ExpiresAt, &i.ExpirySeal, &session, &i.JoinedAt, &i.JoinExpiresAt, &i.Nonce, &i.Unread, &i.Paused)
	if errors.Is(err, ErrNoRow) {
		return bridge.Invitation{}, nil
	}
	i.Session = bridge.SessionID(session)
	return i, err
}
