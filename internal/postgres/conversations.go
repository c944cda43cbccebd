package postgres

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
)

// CreateConversation implements bridge.Store.
func (s *Store) CreateConversation(ctx context.Context, op bridge.Operation, c bridge.NewConversation) (made bridge.NewConversation, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		made = c.From(e.now)
		e.count(made.ID, 1, 0)
		e.newChain(made.ID)
		e.later("INSERT INTO conversations (id, team, team_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
			made.ID, made.Team, made.TeamID, made.CreatedAt, made.ExpiresAt)
		const insert = `
			INSERT INTO session_status (conversation, session, role, nonce, fingerprint, join_hash, join_expires_at, seen_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
		e.later(insert, made.ID, string(bridge.SessionA), made.RoleA, made.Nonces.A, made.Prints.A, nil, 0, op.Now)
		e.later(insert, made.ID, string(bridge.SessionB), made.RoleB, made.Nonces.B, made.Prints.B, made.JoinHash, made.JoinExpiresAt, 0)
		return nil
	})
	return made, err
}

// JoinConversation implements bridge.Store.
func (s *Store) JoinConversation(ctx context.Context, op bridge.Operation, hash []byte, rule bridge.InvitationRule) (i bridge.Invitation, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		if i, err = getInvitation(e.conn, hash); err != nil {
			return err
		}
		if i.ID != "" {
			if err := e.hold(i.ID, alone); err != nil {
				return err
			}
			if i, err = getInvitation(e.conn, hash); err != nil { // nobody else redeems it now
				return err
			}
		}
		i.Clock = e.state.clock
		if err := rule(i); err != nil {
			return err
		}
		e.op.Conversation, i.JoinedAt = i.ID, op.Now
		e.later("UPDATE session_status SET joined_at = $1 WHERE join_hash = $2", op.Now, hash)
		return e.seen(i.ID, bridge.SessionB)
	})
	return i, err
}

// getInvitation returns what a join code opens, or a zero Invitation.
func getInvitation(c *conn, hash []byte) (i bridge.Invitation, err error) {
	err = c.get(`
		SELECT c.id, a.role, b.role, c.team, c.team_id, c.created_at, c.expires_at, b.joined_at, b.join_expires_at, b.nonce, b.last_seq - b.read_seq
		FROM session_status b
		JOIN conversations c ON c.id = b.conversation
		JOIN session_status a ON a.conversation = c.id AND a.session = 'a'
		WHERE b.join_hash = $1`, []any{hash},
		&i.ID, &i.RoleA, &i.RoleB, &i.Team, &i.TeamID, &i.CreatedAt, &i.ExpiresAt, &i.JoinedAt, &i.JoinExpiresAt, &i.NonceB, &i.Unread)
	if errors.Is(err, errNoRow) {
		return bridge.Invitation{}, nil
	}
	return i, err
}

// SetStatus implements bridge.Store.
func (s *Store) SetStatus(ctx context.Context, g bridge.Gate, status bridge.Status) (unread int64, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		var before string
		err := e.get("SELECT status FROM session_status WHERE conversation = $1 AND session = $2", []any{g.Conversation, string(g.Session)}, &before)
		if err != nil {
			return err
		}
		e.later("UPDATE session_status SET status = $1, heartbeat_at = $2, seen_at = $2 WHERE conversation = $3 AND session = $4",
			string(status), g.Now, g.Conversation, string(g.Session))
		if bridge.IsNews(bridge.Status(before), status) {
			return nil
		}
		return e.fold()
	})
	return unread, err
}

// PartnerState implements bridge.Store.
func (s *Store) PartnerState(ctx context.Context, g bridge.Gate) (state bridge.SessionState, unread int64, err error) {
	partner := g.Session.Partner()
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		overview, err := getOverview(e.conn, g.Conversation)
		state = overview.A
		if partner == bridge.SessionB {
			state = overview.B
		}
		return err
	})
	return state, unread, err
}

// Refuse implements bridge.Store.
func (s *Store) Refuse(ctx context.Context, g bridge.Gate) error {
	return s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		return &bridge.Refusal{Outcome: bridge.OutcomeInvalid}
	})
}

// RefuseOperation implements bridge.Store.
func (s *Store) RefuseOperation(ctx context.Context, op bridge.Operation) error {
	return s.operate(ctx, op, relaxed, func(*entry) error {
		return &bridge.Refusal{Outcome: bridge.OutcomeInvalid}
	})
}

// Membership implements bridge.Store.
func (s *Store) Membership(ctx context.Context, conversation string) (m bridge.Membership, err error) {
	err = s.read(ctx, func(c *conn) error {
		return stateless(c.get(`
			SELECT h.latest, h.slow, c.team, c.team_id, c.expires_at, a.nonce
			FROM store_state h
			LEFT JOIN conversations c ON c.id = $1
			LEFT JOIN session_status a ON a.conversation = $1 AND a.session = 'a'`,
			[]any{conversation}, &m.Clock.Latest, &m.Clock.Slow, &m.Team, &m.TeamID, &m.ExpiresAt, &m.Nonce))
	})
	return m, err
}

// ExtendConversation implements bridge.Store.
func (s *Store) ExtendConversation(ctx context.Context, g bridge.Gate, rule bridge.ExtendRule) (unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		return e.extend(rule)
	})
	return unread, err
}

// ExtendByOperator implements bridge.Store.
func (s *Store) ExtendByOperator(ctx context.Context, op bridge.Operation, rule bridge.ExtendRule) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return e.extend(rule) })
}

func (e *entry) extend(rule bridge.ExtendRule) error {
	o, err := getOverview(e.conn, e.op.Conversation)
	if err != nil {
		return err
	}
	x := rule(o, e.now)
	e.later("UPDATE conversations SET expires_at = $1 WHERE id = $2", x.ExpiresAt, o.ID)
	if x.JoinHash != nil {
		e.later("UPDATE session_status SET join_hash = $1, join_expires_at = $2 WHERE conversation = $3 AND session = 'b'", x.JoinHash, x.JoinExpiresAt, o.ID)
	}
	return nil
}

// Nonces implements bridge.Store.
func (s *Store) Nonces(ctx context.Context, op bridge.Operation) (n bridge.Nonces, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		err := e.get(`
			SELECT a.nonce, b.nonce FROM session_status a JOIN session_status b ON b.conversation = a.conversation AND b.session = 'b'
			WHERE a.conversation = $1 AND a.session = 'a'`, []any{op.Conversation}, &n.A, &n.B)
		if errors.Is(err, errNoRow) {
			return bridge.ErrNotFound
		}
		return err
	})
	return n, err
}

// ReplaceNonces implements bridge.Store.
func (s *Store) ReplaceNonces(ctx context.Context, op bridge.Operation, fresh []bridge.NewNonce) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		for _, n := range fresh {
			changed, err := e.exec("UPDATE session_status SET nonce = $1, fingerprint = $2 WHERE conversation = $3 AND session = $4",
				n.Nonce, n.Print, op.Conversation, string(n.Session))
			if err != nil {
				return err
			}
			if changed == 0 {
				return bridge.ErrNotFound
			}
		}
		if bridge.EndsJoinCode(fresh) {
			e.later("UPDATE session_status SET join_hash = NULL WHERE conversation = $1", op.Conversation)
		}
		return nil
	})
}

// Suspects implements bridge.Store.
func (s *Store) Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error {
	if len(prints) == 0 {
		return nil
	}
	var all []bridge.Suspect
	err := s.read(ctx, func(c *conn) error {
		all = nil
		var found bridge.Suspect
		var session string
		return c.each("SELECT conversation, session, nonce FROM session_status WHERE fingerprint = ANY($1)", []any{prints},
			[]any{&found.Conversation, &session, &found.Nonce}, func() error {
				found.Session = bridge.SessionID(session)
				all = append(all, found)
				return nil
			})
	})
	for _, found := range all {
		visit(found)
	}
	return err
}
