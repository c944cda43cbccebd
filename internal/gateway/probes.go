package gateway

import (
	"context"
	"errors"
	"reflect"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// probes are the operations that record nothing, not even failed authentication, because on
// a single machine hooks call them often. Through a gateway they would allow guessing
// tokens unnoticed, so the gateway records failures, under these names.
var probes = map[string]string{
	"CountMail":    "count_mail",
	"PeekRoster":   "peek_roster",
	"AwaitMail":    "await_mail",
	"SessionOf":    "session_of",
	"Standing":     "standing",
	"JudgeChange":  "judge_change",
	"RecordChange": "record_change",
}

// prover checks credentials, and records refused calls.
type prover interface {
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, error)
	RefuseCall(ctx context.Context, c bridge.Credentials, action string, reason error) error
}

// recordProbe records an operation of probes whose caller did not authenticate as a
// session. A call without any credentials is not recorded: it only checks whether the
// access key is valid.
func (o *operations) recordProbe(ctx context.Context, name string, in, out []reflect.Value, err error) {
	action, ok := probes[name]
	if !ok || o.prover == nil || !mayBeUnauthorized(name, out, err) {
		return
	}
	c := claimedBy(in, out)
	if c == (bridge.Credentials{}) {
		return
	}
	ctx = context.WithoutCancel(ctx) // record it even if the caller disconnects
	if _, err := o.prover.CountMail(ctx, c); errors.Is(err, bridge.ErrUnauthorized) {
		_ = o.prover.RefuseCall(ctx, c, action, bridge.ErrUnauthorized) // the caller is refused in any case
	}
}

// mayBeUnauthorized reports whether the result does not prove that the caller was authenticated.
func mayBeUnauthorized(name string, out []reflect.Value, err error) bool {
	switch name {
	case "SessionOf", "AwaitMail": // these answer any caller
		return true
	case "Standing":
		return len(out) == 2 && !out[1].Bool()
	}
	return errors.Is(err, bridge.ErrUnauthorized)
}

// claimedBy returns the credentials of a call; if there are several, the first.
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
