package sqlstore

import (
	"encoding/json"
	"math"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// ViewCommand fills v with what a decision about a session's command needs: the
// conversation's grant, the session's mode, and its last request for the same command.
func ViewCommand(c Conn, conversation string, session bridge.SessionID, command string, v *commands.View) (err error) {
	if v.Grant, err = first(listGrants(c, "WHERE conversation = ?1", conversation)); err != nil {
		return err
	}
	if v.Mode, err = getMode(c, conversation, session); err != nil {
		return err
	}
	plain, sealed := c.Opener().Box.Forms(commandPlace(conversation, string(session)), command)
	v.Last, err = first(listCommands(c, "WHERE conversation = ?1 AND session = ?2 AND command IN (?3, ?4) ORDER BY id DESC LIMIT 1",
		conversation, string(session), plain, sealed))
	return err
}

func first[T any](all []T, err error) (*T, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// QueueCommand is the call of g that requests a command. It returns the request's id
// and the number of messages waiting for the session.
func QueueCommand(e Entry, g bridge.Gate, r commands.Request, l commands.QueueLimits) (id, unread int64, err error) {
	scene, err := queueScene(e, r.Conversation)
	if err != nil {
		return 0, 0, err
	}
	if err := scene.Admit(r, l); err != nil {
		return 0, 0, err
	}
	if err := e.Charge(g.Charges); err != nil {
		return 0, 0, err
	}
	for _, replaced := range scene.Replaces(r) {
		if err := cancelCommand(e.SQL(), replaced); err != nil {
			return 0, 0, err
		}
	}
	id, err = insertCommand(e.SQL(), r)
	e.Op().Details["request"] = id
	return id, e.Inbox().Waiting(g.Now), err
}

// queueScene returns the data on which a new request is decided.
func queueScene(e Entry, conversation string) (s commands.QueueScene, err error) {
	s.Now = e.Now()
	if s.Opening, err = getOpening(e.SQL(), conversation); err != nil {
		return s, err
	}
	var a commands.Asked
	var session, state string
	err = e.SQL().Each("SELECT id, session, command, state, decided_at, expires_at FROM command_requests WHERE conversation = ?1", []any{conversation},
		[]any{&a.ID, &session, &a.Command, &state, &a.DecidedAt, &a.ExpiresAt}, func() error {
			a.Session, a.State = bridge.SessionID(session), commands.State(state)
			found := a
			var damaged error
			if found.Command, damaged = e.SQL().Opener().Open(commandPlace(conversation, session), a.Command); damaged != nil {
				found.Command = "" // it counts towards the limits, but matches no command
			}
			s.Asked = append(s.Asked, found)
			return nil
		})
	return s, err
}

func cancelCommand(c Conn, id int64) error {
	return c.Later("UPDATE command_requests SET state = ?1 WHERE id = ?2", string(commands.StateCancelled), id)
}

func insertCommand(c Conn, r commands.Request) (id int64, err error) {
	plan, err := json.Marshal(r.Plan)
	if err != nil {
		return 0, err
	}
	access, err := json.Marshal(r.Access)
	if err != nil {
		return 0, err
	}
	cipher, err := c.Cipher()
	if err != nil {
		return 0, err
	}
	session := string(r.Session)
	err = c.Get(`
		INSERT INTO command_requests (conversation, session, command, plan, mode, workspace, device, inode,
		                              sandbox, image, network, access, timeout, nonce, digest, state, created_at, expires_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 'pending', ?16, ?17) RETURNING id`,
		[]any{
			r.Conversation, session, cipher.Fixed(commandPlace(r.Conversation, session), r.Command),
			cipher.Text(planPlace(r.Conversation, session, r.Nonce), string(plan)), string(r.Mode), r.Workspace,
			int64(r.Folder.Device), int64(r.Folder.Inode), string(r.Sandbox), r.Image, r.Network, string(access),
			r.Timeout.Microseconds(), r.Nonce, r.Digest, r.CreatedAt, r.ExpiresAt,
		}, &id)
	return id, err
}

// UseApproval is the call of g that runs an approved command: it uses up the approval,
// or returns a bridge.Refusal.
func UseApproval(e Entry, g bridge.Gate, u commands.ApprovalUse) error {
	c, details := e.SQL(), e.Op().Details
	scene, err := approvalScene(e, "WHERE id = ?1 AND conversation = ?2 AND session = ?3", u.ID, g.Conversation, string(g.Session))
	if err != nil {
		return err
	}
	if scene.Opening, err = getOpening(c, g.Conversation); err != nil {
		return err
	}
	void, err := scene.Admit(u)
	if void {
		if err := cancelCommand(c, u.ID); err != nil {
			return err
		}
	}
	if err != nil {
		details["stage"], details["reason"] = "refused", err.Error()
		return err
	}
	if err := e.Charge(g.Charges); err != nil {
		return err
	}
	return c.Later("UPDATE command_requests SET state = 'consumed', used_at = ?1 WHERE id = ?2", g.Now, u.ID)
}

// approvalScene returns the data on which the use of a request is decided. Its request
// has ID 0 if there is none.
func approvalScene(e Entry, where string, args ...any) (commands.ApprovalScene, error) {
	s := commands.ApprovalScene{Now: e.Now()}
	found, err := first(listCommands(e.SQL(), where, args...))
	if err != nil || found == nil {
		return s, err
	}
	s.Request = *found
	s.Opening, err = getOpening(e.SQL(), found.Conversation)
	return s, err
}

// DecideCommand stores the operator's decision about a request. forUpdate is appended
// to the query that must lock the request's row; it may be empty.
func DecideCommand(e Entry, d commands.Decision, forUpdate string) error {
	scene, err := approvalScene(e, "WHERE id = ?1"+forUpdate, d.ID)
	if err != nil {
		return err
	}
	if err := scene.Decide(d); err != nil {
		return err
	}
	return e.SQL().Later("UPDATE command_requests SET state = ?1, decided_at = ?2, approved_until = ?3, token_hash = ?4, seal = ?5 WHERE id = ?6",
		string(d.State), e.Now(), d.ApprovedUntil, Blob(d.TokenHash), Blob(d.Seal), d.ID)
}

// EndCommand stores how a command ended.
func EndCommand(c Conn, end commands.End, now time.Time) error {
	return c.Later("UPDATE command_requests SET ended_at = ?1, exit_code = ?2, snapshot = ?3, snapshot_number = ?4 WHERE id = ?5",
		now, end.ExitCode, end.Snapshot, end.SnapshotNumber, end.ID)
}

// Commands returns the requests that q selects, newest first.
func Commands(c Conn, q commands.Query) ([]commands.Request, error) {
	limit := int64(q.Limit)
	if limit == 0 {
		limit = math.MaxInt64
	}
	return listCommands(c, `
		WHERE (CAST(?1 AS bigint) = 0 OR id = ?1) AND (?2 = '' OR conversation = ?2) AND (?3 = '' OR state = ?3)
		ORDER BY id DESC LIMIT CAST(?4 AS bigint)`, q.ID, q.Conversation, string(q.State), limit)
}

func listCommands(c Conn, where string, args ...any) (all []commands.Request, err error) {
	var r commands.Request
	var session, plan, mode, backend, state, access string
	var device, inode, timeout int64
	dest := []any{
		&r.ID, &r.Conversation, &session, &r.Command, &plan, &mode, &r.Workspace, &device, &inode,
		&backend, &r.Image, &r.Network, &access, &timeout, &r.Nonce, &r.Digest, &state, &r.CreatedAt, &r.ExpiresAt,
		&r.DecidedAt, &r.ApprovedUntil, &r.TokenHash, &r.Seal, &r.UsedAt, &r.EndedAt, &r.ExitCode, &r.Snapshot, &r.SnapshotNumber,
	}
	err = c.Each(`
		SELECT id, conversation, session, command, plan, mode, workspace, device, inode,
		       sandbox, image, network, access, timeout, nonce, digest, state, created_at, expires_at,
		       decided_at, approved_until, token_hash, seal, used_at, ended_at, exit_code, snapshot, snapshot_number
		FROM command_requests `+where, args, dest, func() error {
		found := r
		found.Session, found.Mode = bridge.SessionID(session), commands.Mode(mode)
		found.Folder, found.Sandbox = folder(device, inode), commands.Backend(backend)
		found.Timeout = time.Duration(timeout) * time.Microsecond
		found.State = commands.State(state)
		found.Command = Shown(c, commandPlace(r.Conversation, session), r.Command) // a command that does not open no longer fits its digest
		found.Plan = commands.Plan{}
		opened := Shown(c, planPlace(r.Conversation, session, r.Nonce), plan)
		if err := json.Unmarshal([]byte(opened), &found.Plan); err != nil {
			found.Plan = commands.Plan{} // the digest no longer fits, so nobody can approve it
		}
		found.Access = commands.Access{}
		_ = json.Unmarshal([]byte(access), &found.Access) // likewise
		all = append(all, found)
		return nil
	})
	return all, err
}
