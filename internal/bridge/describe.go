package bridge

import "context"

// Described is a conversation as one of its sessions sees it.
type Described struct {
	Conversation
	PartnerStatus
	// Session and Role are the caller's own.
	Session SessionID
	Role    string
}

// Describe tells a session of its conversation and its partner.
func (s *Service) Describe(ctx context.Context, c Credentials) (Described, error) {
	g := s.ReadGate(c, "list_conversations")
	state, unread, err := s.store.PartnerState(ctx, g)
	if err != nil {
		return Described{}, err
	}
	o, err := s.store.Conversation(ctx, c.Conversation)
	if err != nil {
		return Described{}, err
	}
	d := Described{
		Conversation:  o.Conversation,
		PartnerStatus: PartnerStatus{SessionState: state, Now: g.Now, CallerUnread: unread},
		Session:       g.Session, Role: o.RoleA,
	}
	if g.Session == SessionB {
		d.Role = o.RoleB
	}
	return d, nil
}
