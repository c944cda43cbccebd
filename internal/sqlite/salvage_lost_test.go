//go:build unix

package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestSalvageWithoutASession loses the row of one session. Nobody may get its letter or
// its mail, the other sessions get their mail, and messages to all can still be sent.
func TestSalvageWithoutASession(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	room := bridgetest.NewRoom(t, s, 4)
	send := func(s *bridge.Service, from int, text string, to ...bridge.SessionID) error {
		_, err := s.Send(t.Context(), room[from], bridge.SendRequest{To: to, Text: text})
		return err
	}
	for i, letter := range []bridge.SessionID{"b", "c", "d"} {
		must(t, send(s, 0, "only for "+string(letter), letter))
		must(t, send(s, i+1, "from "+string(letter)+" to a", bridge.SessionA))
	}
	for range 2 {
		must(t, send(s, 0, "for two", "b", "c"))
	}
	must(t, send(s, 0, "for all", bridge.Everyone))
	must(t, store.Close())
	whole, err := os.ReadFile(e.Path)
	must(t, err)
	for lost, letter := range []bridge.SessionID{"a", "b", "c", "d"} {
		t.Run(string(letter), func(t *testing.T) {
			d, to := bridgetest.NewEnv(t), bridgetest.NewEnv(t)
			must(t, os.WriteFile(d.Path, whole, 0o600))
			loseSession(t, d.Path, letter)
			_, err := sqlite.Salvage(t.Context(), d.Path, to.Path, e.Key)
			must(t, err)
			to.Key = e.Key
			checkWithout(t, to, room, lost)
		})
	}
}

func loseSession(t *testing.T, path string, letter bridge.SessionID) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.ExecContext(t.Context(), "DELETE FROM session_status WHERE session = ?", string(letter))
	must(t, err)
	must(t, db.Close())
}

// inboxes are the numbers of messages in each session's inbox: one from each other
// session to a, and those for one alone, for two, and for all.
var inboxes = []int{3, 4, 4, 2}

// checkWithout uses a salvaged store as its remaining sessions.
func checkWithout(t *testing.T, to *bridgetest.Env, room []bridge.Credentials, lost int) {
	t.Helper()
	s, letters := to.Service(t), bridge.SessionIDs()
	for i, c := range room {
		if i == lost {
			if _, err := s.Check(t.Context(), c, bridge.CheckRequest{}, nil); !errors.Is(err, bridge.ErrUnauthorized) {
				t.Errorf("the lost session: %v, want ErrUnauthorized", err)
			}
			continue
		}
		d, err := s.Check(t.Context(), c, bridge.CheckRequest{}, nil)
		must(t, err)
		must(t, s.Confirm(t.Context(), d.Claim))
		if want := inboxes[i]; len(d.Messages) != want {
			t.Errorf("%s gets %d messages, want %d", letters[i], len(d.Messages), want)
		}
		h, err := s.History(t.Context(), c, 0, 50)
		must(t, err)
		for _, m := range h.Messages {
			if own := string(letters[i]); m.From != own && m.Text != "for all" && m.Text != "only for "+own && (i == 3 || m.Text != "for two") && (i != 0 || !strings.HasSuffix(m.Text, " to a")) {
				t.Errorf("%s sees %q", own, m.Text)
			}
		}
	}
	if lost == 0 {
		return // only a may invite
	}
	invited, err := s.Invite(t.Context(), room[0], "new")
	must(t, err)
	joined, err := s.Join(t.Context(), invited.JoinCode)
	must(t, err)
	fresh := bridge.Credentials{Conversation: room[0].Conversation, Session: joined.Session, Token: joined.Token}
	if fresh.Session != "e" {
		t.Errorf("a stranger is %s", fresh.Session)
	}
	h, err := s.History(t.Context(), fresh, 0, 50)
	must(t, err)
	if len(h.Messages) != 0 {
		t.Errorf("a stranger sees %+v", h.Messages)
	}
	sent, err := s.Send(t.Context(), room[0], bridge.SendRequest{To: []bridge.SessionID{bridge.Everyone}, Text: "again"})
	must(t, err)
	for i, c := range append([]bridge.Credentials{fresh}, room[1:]...) {
		if c.Session == letters[lost] {
			continue
		}
		next := int64(1)
		if i > 0 {
			next += int64(inboxes[i])
		}
		d, err := s.Check(t.Context(), c, bridge.CheckRequest{}, nil)
		must(t, err)
		if len(d.Messages) != 1 || d.Messages[0].ID != sent.ID || d.Messages[0].Seq != next {
			t.Errorf("%s gets %+v", c.Session, d.Messages)
		}
	}
	if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Errorf("the log: %v", err)
	}
}
