package remote

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/operation"
)

// Create creates a conversation.
func (c *Conn) Create(ctx context.Context, r bridge.CreateRequest) (out bridge.Created, err error) {
	h := c.hide(&r.MyRole, &r.PartnerRole, &r.Team)
	_, err = c.do(ctx, request{name: "Create", arguments: []any{r}}, &out)
	out.Redacted = h.found(out.Redacted)
	return out, err
}

// Join redeems a join code.
func (c *Conn) Join(ctx context.Context, code string) (out bridge.Joined, err error) {
	_, err = c.do(ctx, request{name: "Join", arguments: []any{code}}, &out)
	return out, err
}

// Invite creates a join code for one further session.
func (c *Conn) Invite(ctx context.Context, cr bridge.Credentials, role string) (out bridge.Invited, err error) {
	h := c.hide(&role)
	_, err = c.do(ctx, request{name: "Invite", arguments: []any{cr, role}}, &out)
	out.Redacted = h.found(out.Redacted)
	return out, err
}

// Extend lets a conversation live for at least d from now.
func (c *Conn) Extend(ctx context.Context, cr bridge.Credentials, d time.Duration) (out bridge.Extended, err error) {
	_, err = c.do(ctx, request{name: "Extend", arguments: []any{cr, d}, again: true, stores: true}, &out)
	return out, err
}

// Describe returns a session's view of its conversation.
func (c *Conn) Describe(ctx context.Context, cr bridge.Credentials) (out bridge.Described, err error) {
	_, err = c.do(ctx, request{name: "Describe", arguments: []any{cr}, again: true}, &out)
	return out, err
}

// UpdateStatus sets the status of the session.
func (c *Conn) UpdateStatus(ctx context.Context, cr bridge.Credentials, status bridge.Status) (out bridge.StatusUpdate, err error) {
	_, err = c.do(ctx, request{name: "UpdateStatus", arguments: []any{cr, status}, again: true, stores: true}, &out)
	return out, err
}

// CheckPartners returns the status of the conversation's other sessions, or only of the one
// that is named.
func (c *Conn) CheckPartners(ctx context.Context, cr bridge.Credentials, only bridge.SessionID) (out bridge.PartnerStatus, err error) {
	_, err = c.do(ctx, request{name: "CheckPartners", arguments: []any{cr, only}, again: true}, &out)
	return out, err
}

// CountMail returns the number of unread messages of a session.
func (c *Conn) CountMail(ctx context.Context, cr bridge.Credentials) (out bridge.Mail, err error) {
	_, err = c.do(ctx, request{name: "CountMail", arguments: []any{cr}, again: true}, &out)
	return out, err
}

// Standing returns what the notes of an answer are made from. ok is false while the gateway
// does not answer.
func (c *Conn) Standing(ctx context.Context, cr bridge.Credentials) (out bridge.Standing, ok bool) {
	_, err := c.do(ctx, request{name: "Standing", arguments: []any{cr}, again: true, single: true}, &out, &ok)
	return out, ok && err == nil
}

// Told records what a session was told in the notes of an answer.
func (c *Conn) Told(ctx context.Context, cr bridge.Credentials, standing bridge.Standing) error {
	_, err := c.do(ctx, request{name: "Told", arguments: []any{cr, standing}, again: true, single: true})
	return err
}

// RefuseCall records a call that this process has refused.
func (c *Conn) RefuseCall(ctx context.Context, cr bridge.Credentials, action string, reason error) error {
	return c.refuse(ctx, "RefuseCall", reason, cr, action)
}

// RefuseOpenCall is RefuseCall for a call without credentials.
func (c *Conn) RefuseOpenCall(ctx context.Context, action string, reason error) error {
	return c.refuse(ctx, "RefuseOpenCall", reason, action)
}

// refuse records a refusal, and returns its reason or the error that replaces it. The
// gateway's answer contains its own version of the reason, which only names the argument.
func (c *Conn) refuse(ctx context.Context, name string, reason error, arguments ...any) error {
	blame := operation.Blame(reason)
	_, err := c.do(ctx, request{name: name, arguments: append(arguments, blame), single: true})
	if err == nil || err.Error() == blame.Reason().Error() {
		return reason
	}
	return err
}
