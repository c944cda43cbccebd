package sqlstore

import (
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

// selectClaims reads claims together with what decides whether each is still valid.
const selectClaims = `
	SELECT f.id, f.team_id, f.conversation, f.session, s.role,
	       f.path, f.shared, f.reason, f.task, f.lease, f.taken_at, s.seen_at, c.expires_at,
	       t.id, t.team_id, t.worker, t.state
	FROM file_claims f
	JOIN conversations c ON c.id = f.conversation
	JOIN session_status s ON s.conversation = f.conversation AND s.session = f.session
	LEFT JOIN tasks t ON t.id = f.task `

func listClaims(c Conn, where string, args ...any) (all []claims.Claim, err error) {
	var one claims.Claim
	var of tasks.Task
	var session, state string
	var lease int64
	dest := []any{
		&one.ID, &one.TeamID, &one.Conversation, &session, &one.Role,
		&one.Path, &one.Shared, &one.Reason, &one.Task, &lease, &one.TakenAt, &one.SeenAt, &one.ExpiresAt,
		&of.ID, &of.TeamID, &of.Worker, &state,
	}
	err = c.Each(selectClaims+where+" ORDER BY f.id", args, dest, func() error {
		one.Session = bridge.SessionID(session)
		one.Lease = time.Duration(lease) * time.Microsecond
		of.State = tasks.State(state)
		found := one
		openClaim(c, &found)
		found.HasTask = of.HeldBy(one.TeamID, one.Conversation, one.Session)
		all = append(all, found)
		return nil
	})
	return all, err
}

// DamagedClaim is the reason shown for a claim whose path does not open.
const DamagedClaim = "[damaged: the store cannot open the path of this claim, so it covers every path until it ends; `bridge claims release` ends it]"

// openClaim opens the texts of a claim. A claim whose path does not open covers every
// path, exclusively for its holder, so that what it protects stays protected.
func openClaim(c Conn, one *claims.Claim) {
	path, err := c.Opener().Open(claimPlace("path", *one), one.Path)
	one.Reason = Shown(c, claimPlace("reason", *one), one.Reason)
	one.Path = path
	if err != nil {
		one.Path, one.Reason, one.Shared = everyPath, DamagedClaim, false
	}
}

// everyPath is the pattern that matches all files (claims.Overlap).
const everyPath = "**"

// Claims returns all stored claims, including those that have lapsed.
func Claims(c Conn) ([]claims.Claim, error) { return listClaims(c, "") }

// ChangeClaims is the call of g that takes or releases claims. The caller prevents
// other changes of the team's claims until the transaction ends.
func ChangeClaims(e Entry, g bridge.Gate, task int64, rule claims.Rule) (result claims.Result, err error) {
	result.Unread = e.Inbox().Waiting(g.Now)
	if err := e.Charge(g.Charges); err != nil {
		return result, err
	}
	scene, err := claimScene(e, g, task)
	if err != nil {
		return result, err
	}
	outcome := rule(scene)
	if err := keepClaims(e.SQL(), outcome); err != nil {
		return result, err
	}
	if outcome.Refused != nil {
		return result, refused(outcome.Refused)
	}
	result.Changed, result.Held = scene.Changed(outcome)
	return result, nil
}

// claimScene returns the data on which a call about claims of g's team is decided.
func claimScene(e Entry, g bridge.Gate, task int64) (s claims.Scene, err error) {
	c := e.SQL()
	s = claims.Scene{Now: e.Now(), Conversation: g.Conversation, Session: g.Session}
	if err := c.Get("SELECT team_id FROM conversations WHERE id = ?1", []any{g.Conversation}, &s.TeamID); err != nil {
		return s, err
	}
	if task != 0 {
		of, err := GetTask(c, task)
		if err != nil && !errors.Is(err, ErrNoRow) {
			return s, err
		}
		s.HasTask = err == nil && of.HeldBy(s.TeamID, g.Conversation, g.Session)
	}
	s.Claims, err = listClaims(c, "WHERE f.team_id = ?1", s.TeamID)
	return s, err
}

func keepClaims(c Conn, o claims.Outcome) error {
	if err := removeClaims(c, o.Remove); err != nil {
		return err
	}
	cipher, err := c.Cipher()
	if err != nil {
		return err
	}
	for _, one := range o.Add {
		session := string(one.Session)
		err := c.Later(`
			INSERT INTO file_claims (team_id, conversation, session, path, shared, reason, task, lease, taken_at)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
			one.TeamID, one.Conversation, session, cipher.Text(claimPlace("path", one), one.Path), one.Shared,
			cipher.Text(claimPlace("reason", one), one.Reason), one.Task, one.Lease.Microseconds(), one.TakenAt)
		if err != nil {
			return err
		}
	}
	return nil
}

func removeClaims(c Conn, ids []int64) error {
	for _, id := range ids {
		if err := c.Later("DELETE FROM file_claims WHERE id = ?1", id); err != nil {
			return err
		}
	}
	return nil
}

// RemoveClaim deletes one claim. The error may be claims.ErrNoClaim.
func RemoveClaim(c Conn, id int64) error {
	err := c.Get("DELETE FROM file_claims WHERE id = ?1 RETURNING id", []any{id}, &id)
	if errors.Is(err, ErrNoRow) {
		return claims.ErrNoClaim
	}
	return err
}

// Lapse deletes the lapsed claims of a session and renews the others. It is called
// before each sign of life, which must not make lapsed claims valid again.
func Lapse(e Entry, conversation string, session bridge.SessionID) error {
	if !claims.MayHaveLapsed(e.SeenAt(), e.Now()) {
		return nil
	}
	own, err := listClaims(e.SQL(), "WHERE f.conversation = ?1 AND f.session = ?2", conversation, string(session))
	if err != nil {
		return err
	}
	whole := slices.DeleteFunc(slices.Clone(own), func(c claims.Claim) bool { return c.Reason == DamagedClaim })
	renewed := claims.Renew(whole, e.Op().Now, e.Now())
	renewed.Remove = append(renewed.Remove, claims.Lapsed(own, e.Now())...)
	return keepClaims(e.SQL(), renewed)
}

// Seen records a sign of life of a session at the time of the operation.
func Seen(e Entry, conversation string, session bridge.SessionID) error {
	if err := Lapse(e, conversation, session); err != nil {
		return err
	}
	return e.SQL().Later("UPDATE session_status SET seen_at = ?1 WHERE conversation = ?2 AND session = ?3", e.Op().Now, conversation, string(session))
}

// Beat sets the heartbeat of g's session to g.Now. A heartbeat is a sign of life.
func Beat(e Entry, g bridge.Gate) error {
	if err := Lapse(e, g.Conversation, g.Session); err != nil {
		return err
	}
	return e.SQL().Later("UPDATE session_status SET heartbeat_at = ?1, seen_at = ?1 WHERE conversation = ?2 AND session = ?3",
		g.Now, g.Conversation, string(g.Session))
}
