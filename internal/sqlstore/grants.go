package sqlstore

import (
	"encoding/json"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// OpenGrant stores a grant in place of the conversation's present one, and cancels what
// was requested under the old one.
func OpenGrant(e Entry, g commands.Grant) error {
	c := e.SQL()
	of, err := conversation(c, g.Conversation)
	if err != nil {
		return err
	}
	if err := commands.AdmitGrant(of, e.Now()); err != nil {
		return err
	}
	if _, err := dropGrant(c, g.Conversation); err != nil {
		return err
	}
	access, err := json.Marshal(g.Access)
	if err != nil {
		return err
	}
	return c.Later(`
		INSERT INTO yolo_grants (conversation, mode, workspace, device, inode, sandbox, image, network, access, ask, opened_at, expires_at, seal)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`,
		g.Conversation, string(g.Ceiling), g.Workspace, int64(g.Folder.Device), int64(g.Folder.Inode),
		string(g.Sandbox), g.Image, g.Network, string(access), g.AskInClient, g.OpenedAt, g.ExpiresAt, g.Seal)
}

// CloseGrant deletes the grant of a conversation and cancels what was requested under
// it. The error may be commands.ErrNoGrant.
func CloseGrant(c Conn, conversation string) error {
	found, err := dropGrant(c, conversation)
	if err == nil && !found {
		return commands.ErrNoGrant
	}
	return err
}

// dropGrant deletes a grant and cancels the requests made under it.
func dropGrant(c Conn, conversation string) (found bool, err error) {
	for _, state := range commands.VoidWithGrant() {
		err := c.Later("UPDATE command_requests SET state = ?1 WHERE conversation = ?2 AND state = ?3",
			string(commands.StateCancelled), conversation, string(state))
		if err != nil {
			return false, err
		}
	}
	if err := c.Later("DELETE FROM yolo_modes WHERE conversation = ?1", conversation); err != nil {
		return false, err
	}
	err = c.Get("DELETE FROM yolo_grants WHERE conversation = ?1 RETURNING conversation", []any{conversation}, &conversation)
	if errors.Is(err, ErrNoRow) {
		return false, nil
	}
	return err == nil, err
}

// Grants returns all grants, newest first.
func Grants(c Conn) ([]commands.Grant, error) {
	return listGrants(c, "ORDER BY opened_at DESC, conversation")
}

func listGrants(c Conn, where string, args ...any) (all []commands.Grant, err error) {
	var g commands.Grant
	var mode, backend, access string
	var device, inode int64
	dest := []any{&g.Conversation, &mode, &g.Workspace, &device, &inode, &backend, &g.Image, &g.Network, &access, &g.AskInClient, &g.OpenedAt, &g.ExpiresAt, &g.Seal}
	err = c.Each("SELECT conversation, mode, workspace, device, inode, sandbox, image, network, access, ask, opened_at, expires_at, seal FROM yolo_grants "+where,
		args, dest, func() error {
			found := g
			found.Ceiling, found.Sandbox = commands.Mode(mode), commands.Backend(backend)
			found.Folder = folder(device, inode)
			// A field that cannot be parsed no longer fits the seal, so the grant is
			// void.
			found.Access = commands.Access{}
			_ = json.Unmarshal([]byte(access), &found.Access)
			all = append(all, found)
			return nil
		})
	return all, err
}

func folder(device, inode int64) commands.Folder {
	return commands.Folder{Device: uint64(device), Inode: uint64(inode)}
}

// getMode returns the mode that a session has chosen within the grant, or nil if it has
// chosen none.
func getMode(c Conn, conversation string, session bridge.SessionID) (*commands.SessionMode, error) {
	var m commands.SessionMode
	var mode string
	var timeout int64
	err := c.Get("SELECT mode, workspace, sandbox, timeout, set_at FROM yolo_modes WHERE conversation = ?1 AND session = ?2",
		[]any{conversation, string(session)}, &mode, &m.Workspace, &m.Sandbox, &timeout, &m.SetAt)
	if errors.Is(err, ErrNoRow) {
		return nil, nil //nolint:nilnil // a session without a mode is not an error
	}
	m.Mode, m.Timeout = commands.Mode(mode), time.Duration(timeout)*time.Microsecond
	return &m, err
}

// SetMode is the call of g that chooses a mode for commands. It returns the number of
// messages waiting for the session.
func SetMode(e Entry, g bridge.Gate, m commands.SessionMode) (unread int64, err error) {
	if err := e.Charge(g.Charges); err != nil {
		return 0, err
	}
	opening, err := getOpening(e.SQL(), g.Conversation)
	if err != nil {
		return 0, err
	}
	if err := opening.Admit(e.Now()); err != nil {
		return 0, err
	}
	return e.Inbox().Waiting(g.Now), e.SQL().Later(`
		INSERT INTO yolo_modes (conversation, session, mode, workspace, sandbox, timeout, set_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (conversation, session) DO UPDATE SET mode = ?3, workspace = ?4, sandbox = ?5, timeout = ?6, set_at = ?7`,
		g.Conversation, string(g.Session), string(m.Mode), m.Workspace, m.Sandbox, m.Timeout.Microseconds(), m.SetAt)
}

// getOpening returns the data that decides whether a grant is valid.
func getOpening(c Conn, conversation string) (o commands.Opening, err error) {
	err = c.Get("SELECT opened_at, expires_at FROM yolo_grants WHERE conversation = ?1", []any{conversation}, &o.OpenedAt, &o.ExpiresAt)
	if errors.Is(err, ErrNoRow) {
		return commands.Opening{}, nil
	}
	return o, err
}

const overGrants = " FROM yolo_grants WHERE expires_at <= ?1"

// OverCommands counts what ForgetCommands would delete.
func OverCommands(c Conn, before, now time.Time) (requests, grants int64, err error) {
	over, err := overRequests(c, before, now)
	if err != nil {
		return 0, 0, err
	}
	err = c.Get("SELECT count(*)"+overGrants, []any{bridge.Earlier(before, now)}, &grants)
	return int64(len(over)), grants, err
}

// ForgetCommands deletes grants that ended before a time, and finished requests that
// were made before it. It returns how many of each.
func ForgetCommands(e Entry, before time.Time) (requests, grants int64, err error) {
	c, op := e.SQL(), e.Op()
	over, err := overRequests(c, before, op.Now)
	if err != nil {
		return 0, 0, err
	}
	for _, id := range over {
		if err := c.Later("DELETE FROM command_requests WHERE id = ?1", id); err != nil {
			return 0, 0, err
		}
	}
	var conversation string
	err = c.Each("DELETE"+overGrants+" RETURNING conversation", []any{bridge.Earlier(before, op.Now)}, []any{&conversation}, func() error {
		grants++
		return nil
	})
	requests = int64(len(over))
	op.Details["requests"], op.Details["grants"] = requests, grants
	return requests, grants, err
}

// overRequests returns the ids of requests made before a time that are finished now. A
// finished request stays finished.
func overRequests(c Conn, before, now time.Time) (ids []int64, err error) {
	var r commands.Request
	var state string
	err = c.Each("SELECT id, state, expires_at, approved_until, ended_at FROM command_requests WHERE created_at <= ?1", []any{before},
		[]any{&r.ID, &state, &r.ExpiresAt, &r.ApprovedUntil, &r.EndedAt}, func() error {
			if r.State = commands.State(state); r.Over(now) {
				ids = append(ids, r.ID)
			}
			return nil
		})
	return ids, err
}
