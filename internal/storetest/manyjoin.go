package storetest

import (
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
)

func inviteGivesSession(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	i := must(w.a.Invite(t.Context(), p.A, "tester "+secret))(t)
	equal(t, "invited", []string{string(i.Session), i.Role, strings.Join(i.Redacted, ",")}, []string{"c", "tester GITHUB_TOKEN_REDACTED", "GITHUB_TOKEN"})
	equal(t, "good until", i.JoinExpiresAt, w.clock.Now().Add(bridge.JoinCodeTTL))
	before := w.sendTo(t, p.A, "to the only partner")
	equal(t, "a partner that has not joined does not count", before.Recipients().String(), "b")

	joined := must(w.b.Join(t.Context(), i.JoinCode))(t)
	equal(t, "roster", joined.Roster.String(), `a "backend", b "frontend" (nobody has joined yet), c "tester GITHUB_TOKEN_REDACTED"`)
	equal(t, "session and unread", fmt.Sprint(joined.Session, " ", joined.Unread), "c 0")
	c := bridge.Credentials{Conversation: p.A.Conversation, Session: joined.Session, Token: joined.Token}
	equal(t, "history", len(must(w.b.History(t.Context(), c, 0, 0))(t).Messages), 0)
	equal(t, "entry", w.lastEntry(t), "c get_history ok")
	_, err := w.b.Join(t.Context(), i.JoinCode)
	wantError(t, err, bridge.ErrJoinCodeUsed)
	_, err = w.b.CheckPartners(t.Context(), bridge.Credentials{Conversation: c.Conversation, Session: "d", Token: c.Token}, "")
	wantError(t, err, bridge.ErrUnauthorized)
}

func inviteLimits(t *testing.T, w *world) {
	all := w.room(t, 3)
	for _, c := range all[1:] {
		_, err := w.a.Invite(t.Context(), c, "tester")
		wantInvalid(t, err, "session_id")
	}
	for _, role := range []string{"", "\u200b", strings.Repeat("x", 101)} {
		_, err := w.a.Invite(t.Context(), all[0], role)
		wantInvalid(t, err, "role")
	}
	_, err := w.a.Invite(t.Context(), withWrongToken(all[0]), "tester")
	wantError(t, err, bridge.ErrUnauthorized)
	for n := len(all); n < bridge.MaxSessions; n++ {
		must(w.a.Invite(t.Context(), all[0], "tester"))(t)
	}
	_, err = w.a.Invite(t.Context(), all[0], "tester")
	wantError(t, err, bridge.ErrFull)
	equal(t, "entry", w.lastEntry(t), "a invite_to_conversation refused")
	must(w.a.Pause(t.Context(), all[0].Conversation))(t)
	_, err = w.a.Invite(t.Context(), all[0], "tester")
	wantError(t, err, bridge.ErrPaused)
}

func inviteRefusedCheaply(t *testing.T, w *world) {
	all := w.room(t, bridge.MaxSessions)
	s := w.limit(t, bridge.Limits{Writes: perMinute(5), Reads: perMinute(10)})
	for range 5 {
		_, err := s.Invite(t.Context(), all[0], "tester")
		wantError(t, err, bridge.ErrFull)
	}
	for range 5 {
		must(s.Send(t.Context(), all[0], bridge.SendRequest{Text: "x", To: to("b")}))(t)
	}
	for range 5 {
		_, err := s.Invite(t.Context(), all[0], "tester")
		wantError(t, err, bridge.ErrFull)
	}
	_, err := s.Invite(t.Context(), all[0], "tester")
	wantLimited(t, err)
}

func invitePlaceAgain(t *testing.T, w *world) {
	p := w.pair(t)
	first := must(w.a.Invite(t.Context(), p.A, "tester"))(t)
	second := must(w.a.Invite(t.Context(), p.A, "writer"))(t)
	equal(t, "places", string(first.Session+second.Session), "cd")
	must(w.b.Join(t.Context(), second.JoinCode))(t)
	w.clock.Advance(bridge.JoinCodeTTL)
	third := must(w.a.Invite(t.Context(), p.A, "reader"))(t)
	equal(t, "place of an invitation not used", third.Session, bridge.SessionID("c"))
	_, err := w.b.Join(t.Context(), first.JoinCode)
	wantError(t, err, bridge.ErrBadJoinCode)
	equal(t, "role", must(w.b.Join(t.Context(), third.JoinCode))(t).Roster.Role("c"), "reader")
}
