package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// OpenGrant implements bridge.Store.
func (s *Store) OpenGrant(ctx context.Context, op bridge.Operation, g commands.Grant) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		var c bridge.Conversation
		err := e.get("SELECT expires_at FROM conversations WHERE id = $1", []any{g.Conversation}, &c.ExpiresAt)
		if err != nil && !errors.Is(err, errNoRow) {
			return err
		}
		if err := commands.AdmitGrant(c, e.now); err != nil {
			return err
		}
		if _, err := e.dropGrant(g.Conversation); err != nil {
			return err
		}
		access, err := json.Marshal(g.Access)
		if err != nil {
			return err
		}
		e.later(`
			INSERT INTO yolo_grants (conversation, mode, workspace, device, inode, sandbox, image, network, access, ask, opened_at, expires_at, seal)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			g.Conversation, string(g.Ceiling), g.Workspace, int64(g.Folder.Device), int64(g.Folder.Inode),
			string(g.Sandbox), g.Image, g.Network, string(access), g.AskInClient, g.OpenedAt, g.ExpiresAt, g.Seal)
		return nil
	})
}

// CloseGrant implements bridge.Store.
func (s *Store) CloseGrant(ctx context.Context, op bridge.Operation) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		found, err := e.dropGrant(op.Conversation)
		if err == nil && !found {
			return commands.ErrNoGrant
		}
		return err
	})
}

// dropGrant removes a grant and makes void what was asked for under it.
func (e *entry) dropGrant(conversation string) (found bool, err error) {
	for _, state := range commands.VoidWithGrant() {
		e.later("UPDATE command_requests SET state = $1 WHERE conversation = $2 AND state = $3",
			string(commands.StateCancelled), conversation, string(state))
	}
	e.later("DELETE FROM yolo_modes WHERE conversation = $1", conversation)
	changed, err := e.exec("DELETE FROM yolo_grants WHERE conversation = $1", conversation)
	return changed > 0, err
}

// Grants implements bridge.Store.
func (s *Store) Grants(ctx context.Context) (all []commands.Grant, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, err = listGrants(c, "ORDER BY opened_at DESC, conversation")
		return err
	})
	return all, err
}

func listGrants(c *conn, where string, args ...any) (all []commands.Grant, err error) {
	var g commands.Grant
	var mode, backend, access string
	var device, inode int64
	dest := []any{&g.Conversation, &mode, &g.Workspace, &device, &inode, &backend, &g.Image, &g.Network, &access, &g.AskInClient, &g.OpenedAt, &g.ExpiresAt, &g.Seal}
	err = c.each("SELECT conversation, mode, workspace, device, inode, sandbox, image, network, access, ask, opened_at, expires_at, seal FROM yolo_grants "+where,
		args, dest, func() error {
			found := g
			found.Ceiling, found.Sandbox = commands.Mode(mode), commands.Backend(backend)
			found.Folder = folder(device, inode)
			// What cannot be read is no longer what was sealed: the grant is void.
			found.Access = commands.Access{}
			_ = json.Unmarshal([]byte(access), &found.Access)
			all = append(all, found)
			return nil
		})
	return all, err
}

func getYoloMode(c *conn, conversation string, session bridge.SessionID) (*commands.SessionMode, error) {
	var m commands.SessionMode
	var mode string
	var timeout int64
	err := c.get("SELECT mode, workspace, sandbox, timeout, set_at FROM yolo_modes WHERE conversation = $1 AND session = $2",
		[]any{conversation, string(session)}, &mode, &m.Workspace, &m.Sandbox, &timeout, &m.SetAt)
	if errors.Is(err, errNoRow) {
		return nil, nil //nolint:nilnil // a session without a mode is no error
	}
	m.Mode, m.Timeout = commands.Mode(mode), time.Duration(timeout)*time.Microsecond
	return &m, err
}

// SetYoloMode implements bridge.Store.
func (s *Store) SetYoloMode(ctx context.Context, g bridge.Gate, m commands.SessionMode) (unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		opening, err := getOpening(e.conn, g.Conversation)
		if err != nil {
			return err
		}
		if err := opening.Admit(e.now); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		e.later(`
			INSERT INTO yolo_modes (conversation, session, mode, workspace, sandbox, timeout, set_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (conversation, session) DO UPDATE SET mode = $3, workspace = $4, sandbox = $5, timeout = $6, set_at = $7`,
			g.Conversation, string(g.Session), string(m.Mode), m.Workspace, m.Sandbox, m.Timeout.Microseconds(), m.SetAt)
		return nil
	})
	return unread, err
}

// getOpening returns what decides whether a grant stands.
func getOpening(c *conn, conversation string) (o commands.Opening, err error) {
	err = c.get("SELECT opened_at, expires_at FROM yolo_grants WHERE conversation = $1", []any{conversation}, &o.OpenedAt, &o.ExpiresAt)
	if errors.Is(err, errNoRow) {
		return commands.Opening{}, nil
	}
	return o, err
}

func folder(device, inode int64) commands.Folder {
	return commands.Folder{Device: uint64(device), Inode: uint64(inode)}
}

const overGrants = " FROM yolo_grants WHERE expires_at <= $1"

// ForgetCommands implements commands.Store.
func (s *Store) ForgetCommands(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (requests, grants int64, err error) {
	expired := bridge.Earlier(before, op.Now)
	if dryRun {
		err = s.read(ctx, func(c *conn) error {
			over, err := overRequests(c, before, op.Now)
			if err != nil {
				return err
			}
			requests = int64(len(over))
			return c.get("SELECT count(*)"+overGrants, []any{expired}, &grants)
		})
		return requests, grants, err
	}
	err = s.operate(ctx, op, durable, func(e *entry) error {
		over, err := overRequests(e.conn, before, op.Now)
		if err != nil {
			return err
		}
		e.later("DELETE FROM command_requests WHERE id = ANY($1)", over)
		if grants, err = e.exec("DELETE"+overGrants, expired); err != nil {
			return err
		}
		requests = int64(len(over))
		e.op.Details["requests"], e.op.Details["grants"] = requests, grants
		return nil
	})
	return requests, grants, err
}

// overRequests are the numbers of the requests that were made before a time and are
// over now. What is over stays so.
func overRequests(c *conn, before, now time.Time) (ids []int64, err error) {
	var r commands.Request
	var state string
	ids = []int64{}
	err = c.each("SELECT id, state, expires_at, approved_until, ended_at FROM command_requests WHERE created_at <= $1", []any{before},
		[]any{&r.ID, &state, &r.ExpiresAt, &r.ApprovedUntil, &r.EndedAt}, func() error {
			if r.State = commands.State(state); r.Over(now) {
				ids = append(ids, r.ID)
			}
			return nil
		})
	return ids, err
}
