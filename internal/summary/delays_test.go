package summary_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/summary"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// said returns the entries of a log, one second apart.
func said(all ...audit.Entry) []audit.Entry {
	for i := range all {
		all[i].Seq, all[i].Time, all[i].Conversation = int64(i+1), noon.Add(time.Duration(i)*time.Second), "conv_1"
		if all[i].Outcome == "" {
			all[i].Outcome = "ok"
		}
	}
	return all
}

func sends(from, details string) audit.Entry {
	return audit.Entry{Session: from, Action: "send_to_partner", Details: details}
}

func reads(who string, last int64) audit.Entry {
	return audit.Entry{Session: who, Action: "messages_delivered", Details: fmt.Sprintf(`{"last_seq":%d}`, last)}
}

func looks() audit.Entry { return audit.Entry{Session: "operator", Action: "read_conversation"} }

// TestMail checks the delays of messages, and which messages the operator has
// not seen.
func TestMail(t *testing.T) {
	refused := sends("a", `{"seq":1}`)
	refused.Outcome = "rate_limited"
	for name, tt := range map[string]struct {
		log    []audit.Entry
		delays []time.Duration // in seconds
		unseen int64
	}{
		"of two, each way":             {said(sends("a", `{"seq":1}`), sends("b", `{"seq":1}`), reads("b", 1), reads("a", 1)), []time.Duration{2, 2}, 2},
		"two at once":                  {said(sends("a", `{"seq":1}`), sends("a", `{"seq":2}`), reads("b", 2)), []time.Duration{2, 1}, 2},
		"only the first of two":        {said(sends("a", `{"seq":1}`), sends("a", `{"seq":2}`), reads("b", 1)), []time.Duration{2}, 2},
		"each recipient by its number": {said(sends("a", `{"seq":4,"to":["b","c"],"seqs":[4,9]}`), reads("b", 4), reads("c", 8), reads("c", 9)), []time.Duration{1, 3}, 1},
		"an entry without the others":  {said(sends("a", `{"seq":4,"to":["b","c"]}`), reads("c", 4), reads("b", 4)), []time.Duration{2}, 1},
		"refused":                      {said(refused, reads("b", 1)), nil, 0},
		"repeated":                     {said(sends("a", `{"seq":1}`), sends("a", `{"seq":1,"repeated":true}`), reads("b", 1), reads("b", 1)), []time.Duration{2}, 1},
		"sent before the first entry":  {said(reads("b", 1)), nil, 0},
		"no JSON":                      {said(sends("a", `{`), reads("b", 1)), nil, 0},
		"looked at":                    {said(sends("a", `{"seq":1}`), looks(), sends("a", `{"seq":2}`)), nil, 1},
		"an agent's look is none":      {said(sends("a", `{"seq":1}`), audit.Entry{Session: "a", Action: "read_conversation"}), nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var m summary.Mail
			var delays []time.Duration
			for _, e := range tt.log {
				for _, d := range m.Next(e) {
					delays = append(delays, d/time.Second)
				}
			}
			if !slices.Equal(delays, tt.delays) || m.Unseen("conv_1") != tt.unseen {
				t.Errorf("delays %v and %d unseen, want %v and %d", delays, m.Unseen("conv_1"), tt.delays, tt.unseen)
			}
		})
	}
}

// TestMailForgets checks that messages that can no longer be read are
// forgotten.
func TestMailForgets(t *testing.T) {
	var m summary.Mail
	log := said(sends("a", `{"seq":1}`), sends("a", `{"seq":1}`), reads("b", 1))
	log[1].Conversation = "conv_2"
	log[1].Time = noon.Add(bridge.MaxTTL + time.Minute)
	log[2].Time = log[1].Time
	for i, e := range log {
		if delays := m.Next(e); len(delays) > 0 {
			t.Errorf("entry %d: %v", i, delays)
		}
	}
	if m.Unseen("conv_1") != 0 || m.Unseen("conv_2") != 1 {
		t.Errorf("%d and %d unseen", m.Unseen("conv_1"), m.Unseen("conv_2"))
	}
}

// FuzzMail checks that no delay is negative and nothing fails, whatever a log
// contains.
func FuzzMail(f *testing.F) {
	f.Add(`{"seq":1}`, `{"last_seq":1}`, int64(5), "a")
	f.Add(`{"seq":1,"to":["b","c"],"seqs":[1]}`, `{"last_seq":9}`, int64(-5), "c")
	f.Add(`{"seq":-1,"to":[""]}`, `{"last_seq":"x"}`, int64(0), "")
	f.Add(`{"seq":1,"to":[],"seqs":[1,2,3]}`, `[]`, int64(1)<<62, "operator")
	f.Fuzz(func(t *testing.T, send, read string, later int64, who string) {
		var m summary.Mail
		for _, e := range []audit.Entry{
			{Time: noon, Session: "a", Action: "send_to_partner", Outcome: "ok", Details: send},
			{Time: noon.Add(time.Duration(later)), Session: who, Action: "messages_delivered", Outcome: "ok", Details: read},
		} {
			for _, d := range m.Next(e) {
				if d < 0 {
					t.Errorf("a delay of %s", d)
				}
			}
		}
		if m.Unseen("") > 1 {
			t.Errorf("%d unseen", m.Unseen(""))
		}
	})
}

// TestLog checks the delays of messages in a store, in a pair and in a larger conversation,
// and that only new entries are read.
func TestLog(t *testing.T) {
	e := bridgetest.NewEnv(t)
	core := e.Service(t)
	old := bridgetest.NewPair(t, core)
	must(t, send(t, core, old.A, "long before"))
	e.Clock.Advance(3 * 24 * time.Hour)
	room := bridgetest.NewRoom(t, core, 3)
	pair := bridgetest.NewPair(t, core)
	must(t, send(t, core, pair.A, "one"))
	_, err := core.Send(t.Context(), room[0], bridge.SendRequest{Text: "to all", To: []bridge.SessionID{bridge.Everyone}})
	must(t, err)
	e.Clock.Advance(10 * time.Second)
	deliver(t, core, pair.B)
	deliver(t, core, room[1])
	e.Clock.Advance(20 * time.Second)
	deliver(t, core, room[2])

	log := &summary.Log{Entries: core.AuditEntries, Keep: 24 * time.Hour}
	must(t, log.Read(t.Context(), e.Clock.Now()))
	want := summary.Delays{Count: 3, Median: 10 * time.Second, P95: 30 * time.Second, Longest: 30 * time.Second}
	if got := log.Delays(e.Clock.Now().Add(-time.Hour)); got != want {
		t.Errorf("delays are %+v, want %+v", got, want)
	}
	if unseen := log.Unseen(); unseen[pair.A.Conversation].Messages != 1 || unseen[room[0].Conversation].Messages != 1 || unseen[old.A.Conversation].Messages != 0 {
		t.Errorf("unseen are %+v", unseen)
	}
	must(t, core.RecordReading(t.Context(), pair.A.Conversation))
	must(t, send(t, core, pair.B, "two"))
	e.Clock.Advance(time.Second)
	deliver(t, core, pair.A)
	must(t, log.Read(t.Context(), e.Clock.Now()))
	if got := log.Delays(time.Time{}); got.Count != 4 || got.Median != 10*time.Second {
		t.Errorf("after another: %+v", got)
	}
	if got := log.Delays(e.Clock.Now()); got.Count != 1 || got.Longest != time.Second {
		t.Errorf("the last: %+v", got)
	}
	e.Clock.Advance(25 * time.Hour)
	must(t, log.Read(t.Context(), e.Clock.Now()))
	if got := log.Delays(time.Time{}); got.Count != 0 {
		t.Errorf("a day later: %+v", got)
	}
	all, err := core.Conversations(t.Context())
	must(t, err)
	if got, want := summary.NewsOf(all, log.Unseen(), e.Clock.Now().Add(-25*time.Hour)), (summary.News{Messages: 2, Conversations: 2}); got != want {
		t.Errorf("news are %+v, want %+v", got, want)
	}
	if got := summary.NewsOf(all, log.Unseen(), e.Clock.Now()); got != (summary.News{}) {
		t.Errorf("news of what has expired: %+v", got)
	}
}

// deliver reads the mail of a session, so that it counts as delivered.
func deliver(t *testing.T, s *bridge.Service, c bridge.Credentials) {
	t.Helper()
	d, err := s.Check(t.Context(), c, bridge.CheckRequest{}, nil)
	must(t, err)
	must(t, s.Confirm(t.Context(), d.Claim))
}
