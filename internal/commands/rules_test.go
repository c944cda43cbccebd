package commands_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

var (
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	open = commands.Opening{OpenedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(time.Hour)}
)

func ago(minutes int) time.Time { return noon.Add(-time.Duration(minutes) * time.Minute) }

func TestQueueScene(t *testing.T) {
	limits := commands.QueueLimits{Pending: 2, Denied: 3, DeniedSince: ago(10)}
	asked := func(state commands.State, command string, decided time.Time) commands.Asked {
		return commands.Asked{Session: "a", Command: command, State: state, DecidedAt: decided, ExpiresAt: noon.Add(time.Minute)}
	}
	late := asked(commands.StatePending, "x", time.Time{})
	late.ExpiresAt = noon
	denied := []commands.Asked{
		asked(commands.StateDenied, "x", ago(50)), asked(commands.StateDenied, "y", ago(40)), asked(commands.StateDenied, "z", ago(30)),
	}
	for _, tt := range []struct {
		name    string
		opening commands.Opening
		asked   []commands.Asked
		want    error
	}{
		{"the first", open, nil, nil},
		{"no grant", commands.Opening{}, nil, commands.ErrNoGrant},
		{"a grant that has run out", commands.Opening{OpenedAt: ago(9), ExpiresAt: noon}, nil, commands.ErrNoGrant},
		{"denied just now", open, []commands.Asked{asked(commands.StateDenied, "ls", ago(9))}, commands.ErrDenied},
		{"denied a while ago", open, []commands.Asked{asked(commands.StateDenied, "ls", ago(10))}, nil},
		{"denied, and approved since", open, []commands.Asked{asked(commands.StateDenied, "ls", ago(9)), asked(commands.StateConsumed, "ls", ago(8))}, nil},
		{"denied, and another approved since", open, []commands.Asked{asked(commands.StateDenied, "ls", ago(9)), asked(commands.StateApproved, "x", ago(8))}, commands.ErrDenied},
		{"several denied in a row", open, denied, commands.ErrTooManyDenied},
		{"one approved since", open, append([]commands.Asked{asked(commands.StateApproved, "x", ago(20))}, denied...), nil},
		{"denied under an earlier grant", commands.Opening{OpenedAt: ago(35), ExpiresAt: open.ExpiresAt}, denied, nil},
		{"many wait", open, []commands.Asked{asked(commands.StatePending, "x", time.Time{}), asked(commands.StatePending, "y", time.Time{})}, commands.ErrQueueFull},
		{"one of them is for the same", open, []commands.Asked{asked(commands.StatePending, "ls", time.Time{}), asked(commands.StatePending, "y", time.Time{})}, nil},
		{"nobody can approve it any more", open, []commands.Asked{late, asked(commands.StatePending, "y", time.Time{})}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := commands.QueueScene{Now: noon, Opening: tt.opening, Asked: tt.asked}
			if err := s.Admit(commands.Request{Session: "a", Command: "ls"}, limits); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestApprovalScene(t *testing.T) {
	approved := commands.Request{
		ID: 1, State: commands.StateApproved, ApprovedUntil: noon.Add(time.Minute),
		Digest: []byte("digest"), Seal: []byte("seal"), TokenHash: []byte("token"),
	}
	use := commands.ApprovalUse{ID: 1, Digest: approved.Digest, Seal: approved.Seal, TokenHash: approved.TokenHash}
	with := func(change func(*commands.Request, *commands.ApprovalUse)) (commands.Request, commands.ApprovalUse) {
		r, u := approved, use
		change(&r, &u)
		return r, u
	}
	for _, tt := range []struct {
		name    string
		opening commands.Opening
		change  func(*commands.Request, *commands.ApprovalUse)
		want    error
		void    bool
	}{
		{"just this", open, func(*commands.Request, *commands.ApprovalUse) {}, nil, false},
		{"no grant", commands.Opening{}, func(*commands.Request, *commands.ApprovalUse) {}, commands.ErrNoGrant, false},
		{"unknown", open, func(r *commands.Request, _ *commands.ApprovalUse) { *r = commands.Request{} }, commands.ErrApprovalChanged, false},
		{"used", open, func(r *commands.Request, _ *commands.ApprovalUse) { r.State = commands.StateConsumed }, commands.ErrApprovalUsed, false},
		{"denied", open, func(r *commands.Request, _ *commands.ApprovalUse) { r.State = commands.StateDenied }, commands.ErrDenied, false},
		{"cancelled", open, func(r *commands.Request, _ *commands.ApprovalUse) { r.State = commands.StateCancelled }, commands.ErrApprovalChanged, false},
		{"too late", open, func(r *commands.Request, _ *commands.ApprovalUse) { r.ApprovedUntil = noon }, commands.ErrApprovalExpired, false},
		{"a wrong token", open, func(_ *commands.Request, u *commands.ApprovalUse) { u.TokenHash = []byte("guess") }, commands.ErrApprovalChanged, false},
		{"no token", open, func(_ *commands.Request, u *commands.ApprovalUse) { u.TokenHash = nil }, commands.ErrApprovalChanged, false},
		{"another command", open, func(_ *commands.Request, u *commands.ApprovalUse) { u.Digest = []byte("other") }, commands.ErrApprovalChanged, true},
		{"a forged approval", open, func(_ *commands.Request, u *commands.ApprovalUse) { u.Seal = []byte("other") }, commands.ErrApprovalChanged, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, u := with(tt.change)
			void, err := commands.ApprovalScene{Now: noon, Opening: tt.opening, Request: r}.Admit(u)
			if void != tt.void || !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, %v, want %v, %v", void, err, tt.void, tt.want)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	waits := commands.Request{ID: 1, State: commands.StatePending, ExpiresAt: noon.Add(time.Minute), Digest: []byte("digest")}
	used, approved, late := waits, waits, waits
	used.State, approved.State, late.ExpiresAt = commands.StateConsumed, commands.StateApproved, noon
	for _, tt := range []struct {
		name    string
		opening commands.Opening
		request commands.Request
		state   commands.State
		digest  string
		want    error
	}{
		{"approve", open, waits, commands.StateApproved, "digest", nil},
		{"deny", open, waits, commands.StateDenied, "digest", nil},
		{"deny without a grant", commands.Opening{}, waits, commands.StateDenied, "digest", nil},
		{"take an approval back", open, approved, commands.StateDenied, "digest", nil},
		{"approve twice", open, approved, commands.StateApproved, "digest", commands.ErrDecided},
		{"approve without a grant", commands.Opening{}, waits, commands.StateApproved, "digest", commands.ErrDecided},
		{"approve what has run out", open, late, commands.StateApproved, "digest", commands.ErrDecided},
		{"deny what was used", open, used, commands.StateDenied, "digest", commands.ErrDecided},
		{"another request than was shown", open, waits, commands.StateApproved, "other", commands.ErrDecided},
		{"no request", open, commands.Request{}, commands.StateApproved, "digest", commands.ErrNoRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := commands.ApprovalScene{Now: noon, Opening: tt.opening, Request: tt.request}
			err := s.Decide(commands.Decision{ID: 1, State: tt.state, Digest: []byte(tt.digest)})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestWaits checks that the operator is told why a request made by an older program can
// no longer be decided.
func TestWaits(t *testing.T) {
	const why = "restart the client of session b"
	zeros := make([]byte, 32)
	for name, tt := range map[string]struct {
		request commands.Request
		want    error
		says    bool
	}{
		"waits":                             {commands.Request{State: commands.StatePending, ExpiresAt: noon.Add(1)}, nil, false},
		"nobody decided":                    {commands.Request{State: commands.StatePending, ExpiresAt: noon}, commands.ErrDecided, false},
		"cancelled":                         {commands.Request{State: commands.StateCancelled, Digest: []byte("digest")}, commands.ErrDecided, false},
		"ended with an update of the store": {commands.Request{State: commands.StateCancelled, Digest: zeros}, commands.ErrDecided, true},
		"denied before the update":          {commands.Request{State: commands.StateDenied, Digest: zeros}, commands.ErrDecided, false},
	} {
		tt.request.ID, tt.request.Session = 1, "b"
		err := tt.request.Waits(noon)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || tt.says != (err != nil && strings.Contains(err.Error(), why)) {
			t.Errorf("%s: got %v", name, err)
		}
		if tt.want == nil {
			continue
		}
		// The reason must not be a way around the check: none of these requests can be
		// approved.
		s := commands.ApprovalScene{Now: noon, Opening: commands.Opening{ExpiresAt: noon.Add(1)}, Request: tt.request}
		err = s.Decide(commands.Decision{ID: 1, State: commands.StateApproved, Digest: tt.request.Digest})
		if !errors.Is(err, commands.ErrDecided) || tt.says != strings.Contains(err.Error(), why) {
			t.Errorf("%s: approved it is %v", name, err)
		}
	}
}

// TestReplaces checks that a request replaces only pending requests of the same session
// for the same command.
func TestReplaces(t *testing.T) {
	s := commands.QueueScene{Asked: []commands.Asked{
		{ID: 1, Session: "a", Command: "ls", State: commands.StatePending},
		{ID: 2, Session: "b", Command: "ls", State: commands.StatePending},
		{ID: 3, Session: "a", Command: "pwd", State: commands.StatePending},
		{ID: 4, Session: "a", Command: "ls", State: commands.StateDenied},
		{ID: 5, Session: "a", Command: "ls", State: commands.StateApproved},
	}}
	if got := s.Replaces(commands.Request{Session: "a", Command: "ls"}); len(got) != 1 || got[0] != 1 {
		t.Errorf("got %v, want 1", got)
	}
}

func TestOver(t *testing.T) {
	for name, tt := range map[string]struct {
		request commands.Request
		want    bool
	}{
		"denied":            {commands.Request{State: commands.StateDenied}, true},
		"cancelled":         {commands.Request{State: commands.StateCancelled}, true},
		"waits":             {commands.Request{State: commands.StatePending, ExpiresAt: noon.Add(1)}, false},
		"nobody decided":    {commands.Request{State: commands.StatePending, ExpiresAt: noon}, true},
		"can be used":       {commands.Request{State: commands.StateApproved, ApprovedUntil: noon.Add(1)}, false},
		"was not used":      {commands.Request{State: commands.StateApproved, ApprovedUntil: noon}, true},
		"runs":              {commands.Request{State: commands.StateConsumed}, false},
		"ran":               {commands.Request{State: commands.StateConsumed, EndedAt: noon}, true},
		"runs, time is up":  {commands.Request{State: commands.StateConsumed, ApprovedUntil: ago(5)}, false},
		"approved, expired": {commands.Request{State: commands.StateApproved, ExpiresAt: ago(5), ApprovedUntil: noon.Add(1)}, false},
	} {
		if got := tt.request.Over(noon); got != tt.want {
			t.Errorf("%s: over is %v", name, got)
		}
	}
	for _, state := range commands.VoidWithGrant() {
		runs := commands.Request{State: state, ExpiresAt: noon.Add(1), ApprovedUntil: noon.Add(1)}
		if runs.Over(noon) {
			t.Errorf("a request that is %s is void with its grant, and could not run anyway", state)
		}
	}
}

func TestAdmitGrant(t *testing.T) {
	for name, c := range map[string]bridge.Conversation{"none": {}, "expired": {ExpiresAt: noon}} {
		if err := commands.AdmitGrant(c, noon); !errors.Is(err, bridge.ErrNotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := commands.AdmitGrant(bridge.Conversation{ExpiresAt: noon.Add(1)}, noon); err != nil {
		t.Error(err)
	}
}
