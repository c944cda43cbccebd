package sqlstore

import (
	"time"

	"example.org/bridge/internal/bridge"
)

// Extend stores the new end of a conversation that rule returns for the store's time
// now. The error may be bridge.ErrNotFound.
func Extend(c Conn, conversation string, now time.Time, rule bridge.ExtendRule) error {
	o, err := Overview(c, conversation)
	if err != nil {
		return err
	}
	x := rule(o, now)
	err = c.Later("UPDATE conversations SET expires_at = ?1, expiry_seal = ?2 WHERE id = ?3", x.ExpiresAt, x.ExpirySeal, o.ID)
	if err != nil || x.JoinHash == nil {
		return err
	}
	return c.Later("UPDATE session_status SET join_hash = ?1, join_expires_at = ?2 WHERE conversation = ?3 AND session = 'b'", x.JoinHash, x.JoinExpiresAt, o.ID)
}

// SetStatus sets the status of g's session, which is a sign of life, and reports
// whether other sessions are to be told (bridge.IsNews).
func SetStatus(c Conn, g bridge.Gate, status bridge.Status) (news bool, err error) {
	var before string
	err = c.Get("SELECT status FROM session_status WHERE conversation = ?1 AND session = ?2", []any{g.Conversation, string(g.Session)}, &before)
	if err != nil {
		return false, err
	}
	err = c.Later("UPDATE session_status SET status = ?1, heartbeat_at = ?2, seen_at = ?2 WHERE conversation = ?3 AND session = ?4",
		string(status), g.Now, g.Conversation, string(g.Session))
	return bridge.IsNews(bridge.Status(before), status), err
}

// RemoveOrphans deletes the tasks of teams that have no conversation left. If any were
// open it sets details["open_tasks"] to their number.
func RemoveOrphans(c Conn, details bridge.Details) error {
	var open int64
	const orphans = " WHERE team_id NOT IN (SELECT team_id FROM conversations)"
	if err := c.Get("SELECT count(*) FROM tasks"+orphans+" AND ended_at = 0", nil, &open); err != nil {
		return err
	}
	if open > 0 {
		details["open_tasks"] = open
	}
	if err := c.Later("DELETE FROM task_events WHERE task IN (SELECT id FROM tasks" + orphans + ")"); err != nil {
		return err
	}
	return c.Later("DELETE FROM tasks" + orphans)
}

// PutInbox stores the read mark, the handed-out mark and the claim of an inbox.
func PutInbox(c Conn, of bridge.Claim, i bridge.Inbox) error {
	return c.Later(`
		UPDATE session_status SET read_seq = ?1, handed_seq = ?2, claim_id = ?3, claim_seq = ?4, claim_until = ?5
		WHERE conversation = ?6 AND session = ?7`,
		i.ReadSeq, i.HandedSeq, i.ClaimID, i.ClaimSeq, i.ClaimUntil, of.Conversation, string(of.Session))
}

// Pauses returns the times since which conversations are paused, by conversation. The
// key "" stands for all conversations.
func Pauses(c Conn) (map[string]time.Time, error) {
	pauses := map[string]time.Time{}
	var conversation string
	var since time.Time
	err := c.Each("SELECT conversation, since FROM pauses", nil, []any{&conversation, &since}, func() error {
		pauses[conversation] = since
		return nil
	})
	return pauses, err
}

// AdmitOperation refuses an operation that would start something new while everything
// is paused.
func AdmitOperation(e Entry) error {
	if !e.Op().Begins {
		return nil
	}
	var paused int64
	if err := e.SQL().Get("SELECT count(*) FROM pauses WHERE conversation = ''", nil, &paused); err != nil {
		return err
	}
	return e.Op().Admit(paused != 0)
}
