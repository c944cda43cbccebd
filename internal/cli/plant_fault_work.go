//go:build plantfault

package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/lazyregexp"
)

// killTime is how long a planted fault waits between two steps that should be atomic,
// so that a kill can happen in between.
const killTime = 150 * time.Millisecond

// broadcast is AppendMessage with the faults for messages to several sessions. It also
// reports whether the fault is one of these.
func (f *faulty) broadcast(ctx context.Context, g bridge.Gate, key string, d bridge.Draft) (_ bridge.Sent, _ error, planted bool) {
	switch f.fault {
	case "half":
		sent, err := f.appendHalves(ctx, g, key, d)
		return sent, err, true
	case "forget_key":
		sent, err := f.plantable.AppendMessage(ctx, g, "", d)
		time.Sleep(killTime)
		return sent, err, true
	case "pass_over", "leak":
		var other bridge.SessionID
		to := d.To
		d.To = func(r bridge.Roster) (all bridge.Recipients, err error) {
			all, other, err = f.misdirect(g.Session, r, to)
			return all, err
		}
		sent, err := f.plantable.AppendMessage(ctx, g, key, d)
		if err == nil && other != "" {
			sent, err = f.hide(ctx, g, sent, other)
		}
		return sent, err, true
	}
	return bridge.Sent{}, nil, false
}

// appendHalves stores a message for half of its recipients first, and then for the
// others.
func (f *faulty) appendHalves(ctx context.Context, g bridge.Gate, key string, d bridge.Draft) (bridge.Sent, error) {
	half := func(first bool) bridge.Draft {
		part := d
		part.To = func(r bridge.Roster) (bridge.Recipients, error) {
			to, err := d.To(r)
			switch n := len(to) / 2; {
			case err != nil || n == 0:
				return to, err
			case first:
				return to[:n], nil
			default:
				return to[n:], nil
			}
		}
		return part
	}
	sent, err := f.plantable.AppendMessage(ctx, g, key, half(true))
	if err != nil || sent.Repeated || !sent.Many {
		return sent, err
	}
	time.Sleep(killTime)
	rest, err := f.plantable.AppendMessage(ctx, g, "", half(false))
	sent.Further = append(append(sent.Further, bridge.Recipient{SessionState: rest.Partner, Seq: rest.Seq}), rest.Further...)
	return sent, err
}

// misdirect once leaves out one recipient or adds one.
func (f *faulty) misdirect(self bridge.SessionID, r bridge.Roster, rule bridge.RecipientRule) (_ bridge.Recipients, other bridge.SessionID, err error) {
	to, err := rule(r)
	if err != nil || len(to) < 3 {
		return to, "", err
	}
	if f.now("pass_over") {
		return to[:len(to)-1], to[len(to)-1], nil
	}
	for _, m := range r {
		if m.Session != self && m.Listens() && !slices.Contains(to, m.Session) && f.now("leak") {
			return slices.Sorted(slices.Values(append(slices.Clone(to), m.Session))), m.Session, nil
		}
	}
	return to, "", nil
}

// hide makes the answer claim that a message went to its intended recipients.
func (f *faulty) hide(ctx context.Context, g bridge.Gate, sent bridge.Sent, other bridge.SessionID) (bridge.Sent, error) {
	if f.fault == "leak" {
		all := append([]bridge.Recipient{{SessionState: sent.Partner, Seq: sent.Seq}}, sent.Further...)
		all = slices.DeleteFunc(all, func(r bridge.Recipient) bool { return r.Session == other })
		sent.Partner, sent.Seq, sent.Further = all[0].SessionState, all[0].Seq, all[1:]
		return sent, nil
	}
	inbox, err := f.plantable.PeekInbox(ctx, g.Conversation, other)
	sent.Further = append(sent.Further, bridge.Recipient{SessionState: bridge.SessionState{Session: other}, Seq: inbox.LastSeq + 1})
	return sent, err
}

// UseFile implements the faults of shared files.
func (f *faulty) UseFile(ctx context.Context, g bridge.Gate, u files.Use, rule files.Rule) (files.Result, error) {
	if !u.Reads && f.now("unlogged") {
		g.Action = "something_else"
	}
	return f.plantable.UseFile(ctx, g, u, func(s files.Scene) (files.Outcome, error) {
		if f.fault == "ignore_claims" {
			s.Held = nil
		}
		o, err := rule(s)
		if err == nil && o.Change != nil {
			f.spoil(&o)
		}
		return o, err
	})
}

var (
	lastMark  = lazyregexp.New(` [a-z][0-9]+;`)
	lastMarks = lazyregexp.New(`( [a-z][0-9]+)( [a-z][0-9]+);`)
)

// spoil changes the result of an edit once.
func (f *faulty) spoil(o *files.Outcome) {
	text := o.File.Text
	first, rest, _ := strings.Cut(text, "\n")
	switch {
	case o.File.Version > 1 && f.now("vanish"):
		o.Change = nil
	case len(lastMark().FindAllString(text, -1)) > 3 && f.now("overwrite"):
		o.File.Text = lastMark().ReplaceAllString(text, ";")
	case lastMarks().MatchString(first) && f.now("swap"):
		o.File.Text = lastMarks().ReplaceAllString(first, "$2$1;") + "\n" + rest
	case lastMark().MatchString(first) && f.now("twice"):
		mark := strings.TrimSuffix(lastMark().FindString(first), ";")
		o.File.Text = strings.Replace(text, mark+";", mark+mark+";", 1)
	case o.File.Version > 2 && f.now("version"):
		o.Result.File.Version--
	}
}

// ChangeClaims implements the faults of claims.
func (f *faulty) ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule claims.Rule) (claims.Result, error) {
	if g.Action == "release_file" && f.now("keep") {
		return claims.Result{}, nil
	}
	return f.plantable.ChangeClaims(ctx, g, task, func(s claims.Scene) claims.Outcome {
		if f.fault == "two_holders" {
			s.Claims = slices.DeleteFunc(slices.Clone(s.Claims), func(c claims.Claim) bool { return c.Session != s.Session })
		}
		return rule(s)
	})
}
