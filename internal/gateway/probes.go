package gateway

import (
	"context"
	"errors"
	"reflect"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// probes are the operations that record nothing, not even who failed to prove a session,
// because on one machine hooks look often. Here they would be a way to try tokens that
// nobody sees: the gateway records failures, under these names.
var probes = map[string]string{
	"CountMail":    "count_mail",
	"PeekRoster":   "peek_roster",
	"AwaitMail":    "await_mail",
	"SessionOf":    "session_of",
	"Standing":     "standing",
	"JudgeChange":  "judge_change",
	"RecordChange": "record_change",
}

// prover is what tells whether credentials are good, and records where they are not.
type prover interface {
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, error)
	RefuseCall(ctx context.Context, c bridge.Credentials, action string, reason error) error
}

// recordProbe records an operation of probes whose caller has not proved a session.
// What a caller leaves out whole is not a probe: it asks whether its key is valid.
func (o *operations) recordProbe(ctx context.Context, name string, in, out []reflect.Value, err error) {
	action, ok := probes[name]
	if !ok || o.prover == nil || !doubtful(name, out, err) {
		return
	}
	c := claimedBy(in, out)
	if c == (bridge.Credentials{}) {
		return
	}
	ctx = context.WithoutCancel(ctx) // who hangs up is recorded too
	if _, err := o.prover.CountMail(ctx, c); errors.Is(err, bridge.ErrUnauthorized) {
		_ = o.prover.RefuseCall(ctx, c, action, bridge.ErrUnauthorized) // the caller is refused in any case
	}
}

// doubtful reports whether the answer leaves open that the caller has proved nothing.
func doubtful(name string, out []reflect.Value, err error) bool {
	switch name {
	case "SessionOf", "AwaitMail": // which answer anybody
		return true
	case "Standing":
		return len(out) == 2 && !out[1].Bool()
	}
	return errors.Is(err, bridge.ErrUnauthorized)
}

// claimedBy are the credentials that a call was made with; of several the first.
func claimedBy(in, out []reflect.Value) bridge.Credentials {
	for _, v := range in {
		switch each := v.Interface().(type) {
		case bridge.Credentials:
			return each
		case claims.Editor:
			if len(each) > 0 {
				return each[0]
			}
		}
	}
	if len(in) == 3 && len(out) == 1 && in[1].Kind() == reflect.String && in[2].Kind() == reflect.String { // SessionOf
		session, _ := out[0].Interface().(bridge.SessionID)
		return bridge.Credentials{Conversation: in[1].String(), Session: session, Token: in[2].String()}
	}
	return bridge.Credentials{}
}
