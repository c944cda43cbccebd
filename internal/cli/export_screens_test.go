package cli

import (
	"bufio"
	"bytes"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/doctor"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/view"
)

// Screens returns what a terminal of that width shows for a fixed store, by command.
func Screens(t *testing.T, width int, colour bool) map[string]string {
	t.Helper()
	w := screenWorld(width, colour)
	screens := map[string]string{}
	writers := map[string]func(*bufio.Writer) error{
		"list": func(out *bufio.Writer) error {
			return conversationTable(w.all, w.now, w.screen.shortID(w.all)).print(out, w.screen)
		},
		"show": func(out *bufio.Writer) error {
			writeHeader(out, w.screen, w.all[0], w.now)
			for i, m := range w.messages {
				writeMessage(out, w.screen, numbered{Message: m, n: int64(i + 1)}, w.all[0], w.now)
			}
			return nil
		},
		"show_unread": func(out *bufio.Writer) error {
			writeHeader(out, w.screen, w.all[0], w.now)
			unread := &transcript{options: showOptions{unread: true}}
			for _, m := range unread.choose(w.messages) {
				writeMessage(out, w.screen, m, w.all[0], w.now)
			}
			return nil
		},
		"audit": func(out *bufio.Writer) error {
			p := &tablePrinter{out: out, screen: w.screen, now: func() time.Time { return w.now }, id: w.screen.shortID(w.all)}
			for _, e := range w.entries {
				if err := p.entry(e); err != nil {
					return err
				}
			}
			return p.end()
		},
		"yolo_status": func(out *bufio.Writer) error {
			return writeYoloStatus(out, w.screen, w.all, w.now, w.grants, w.requests)
		},
		"doctor": func(out *bufio.Writer) error { return writeDoctor(out, w.screen, w.checks, w.settings) },
		"help": func(out *bufio.Writer) error {
			writeHelp(out, w.screen, NewRoot())
			return nil
		},
		"error": func(out *bufio.Writer) error {
			_, err := out.WriteString(wrapWords(view.Line(usagef("%d conversations begin with %s, such as %s and %s: give more of the id",
				2, "conv_28", w.all[0].ID, w.all[1].ID)), "bridge: ", "  ", width))
			return err
		},
	}
	maps.Copy(writers, w.more())
	for name, write := range writers {
		var text bytes.Buffer
		out := bufio.NewWriter(&text)
		if err := write(out); err != nil {
			t.Fatal(err)
		}
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		screens[name] = text.String()
	}
	return screens
}

type fixedWorld struct {
	screen   screen
	now      time.Time
	all      []bridge.Overview
	messages []bridge.Message
	entries  []audit.Entry
	grants   []commands.Grant
	requests []commands.Request
	checks   []doctor.Check
	settings []jsonSetting
}

func screenWorld(width int, colour bool) fixedWorld {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.Local)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	session := func(id bridge.SessionID, role string, status bridge.Status, seen time.Duration, received, unread int64) bridge.SessionState {
		s := bridge.SessionState{Session: id, Role: role, Status: status, Received: received, Unread: unread}
		if seen > 0 {
			s.SeenAt = ago(seen)
		}
		return s
	}
	conversation := func(id, a, b, team string, age, ttl time.Duration) bridge.Overview {
		o := bridge.Overview{Sessions: bridge.Roster{
			session("a", a, bridge.StatusWorking, 12*time.Second, 14, 3), session("b", b, bridge.StatusBlocked, 5*time.Minute, 11, 0),
		}}
		o.ID, o.Team, o.Sessions[1].JoinedAt = id, team, ago(age-time.Minute)
		o.CreatedAt, o.ExpiresAt = ago(age), ago(age-ttl)
		return o
	}
	w := fixedWorld{screen: screen{width: width, colour: colour}, now: now}
	w.all = []bridge.Overview{
		conversation("conv_28d4a1b2c3d4e5f6", "orchestrator", "backend developer", "payments", 52*time.Minute, 3*time.Hour),
		conversation("conv_28d9ffeeddccbbaa", "orchestrator", "frontend developer for the checkout", "payments", 55*time.Minute, 3*time.Hour),
		conversation("conv_7c01020304050607", "architect", "QA", "", 26*time.Hour, 3*time.Hour),
	}
	w.all[1].Sessions[0].Unread, w.all[1].Sessions[1].SeenAt = 0, ago(3*time.Second)
	w.messages = []bridge.Message{
		{ID: 1, Seq: 1, From: "a", To: bridge.Recipients{"b"}, Action: "question", Text: "Which endpoint confirms a payment? I need the name of the path, the method and the shape of its answer before I can go on with the checkout.", SentAt: ago(50 * time.Minute), Read: true},
		{ID: 2, Seq: 1, From: "b", To: bridge.Recipients{"a"}, Action: "info", Text: "POST /v1/payments/{id}/confirm\n\n\treturns 202 and a Location header", Files: []string{"api/payments.yaml", "api/errors.yaml"}, SentAt: ago(48 * time.Minute), Read: true},
		{ID: 3, Seq: 2, From: "a", To: bridge.Recipients{"b"}, Action: "info", Text: "The staging key is AWS_KEY_REDACTED.", Redacted: []string{"AWS_KEY"}, SentAt: ago(7 * time.Minute), Read: false},
		{ID: 4, Seq: 2, From: bridge.System, To: bridge.Recipients{"a"}, Action: "info", Text: "Your worker in this conversation is silent.", SentAt: ago(time.Minute), Read: false},
	}
	w.entries = []audit.Entry{
		{Seq: 1041, Time: ago(26 * time.Hour), Conversation: w.all[2].ID, Session: "a", Action: "create_conversation", Outcome: "ok", Details: `{"ttl_minutes":180}`},
		{Seq: 1042, Time: ago(50 * time.Minute), Conversation: w.all[0].ID, Session: "a", Action: "send_to_partner", Outcome: "ok", Details: `{"action_type":"question","bytes":144,"files":0,"message_id":1,"seq":1}`},
		{Seq: 1043, Time: ago(49 * time.Minute), Conversation: w.all[0].ID, Session: "b", Action: "send_to_partner", Outcome: "rate_limited", Details: `{"window":"minute","limit":10,"retry_after":41}`},
		{Seq: 1044, Time: ago(48 * time.Minute), Conversation: "", Session: "operator", Action: "cleanup", Outcome: "ok", Details: `{"conversations":2,"unread_messages":0}`},
		{Seq: 1045, Time: ago(2 * time.Minute), Conversation: w.all[1].ID, Session: "b", Action: "check_partner_status", Outcome: "unauthorized", Details: `{}`},
	}
	w.grants = []commands.Grant{{Conversation: w.all[0].ID, Ceiling: guard.ModeRestricted, Workspace: "/home/ada/src/payments", Sandbox: sandbox.Bubblewrap, OpenedAt: ago(10 * time.Minute), ExpiresAt: ago(-50 * time.Minute)}}
	w.requests = []commands.Request{
		{ID: 18, Conversation: w.all[0].ID, Session: "b", State: commands.StatePending, Command: "pytest -q tests/payments --maxfail=1 --disable-warnings -k 'confirm or refund'", Mode: guard.ModeRestricted, Sandbox: sandbox.Bubblewrap, CreatedAt: ago(40 * time.Second), ExpiresAt: ago(-14 * time.Minute)},
		{ID: 17, Conversation: w.all[0].ID, Session: "a", State: commands.StateDenied, Command: "git push", Mode: guard.ModeRestricted, Sandbox: sandbox.Bubblewrap, CreatedAt: ago(4 * time.Minute), ExpiresAt: ago(-11 * time.Minute)},
	}
	w.checks = []doctor.Check{
		{Name: "configuration", Status: doctor.OK, Detail: "/home/ada/.config/bridge/config.toml"},
		{Name: "store", Status: doctor.OK, Detail: "schema version 4, 3 conversations, 29 messages, 1.4 MB at /home/ada/.local/state/bridge/bridge.db"},
		{Name: "environment", Status: doctor.Warning, Detail: "there is no variable BRIDGE_RATE_PER_MINUT: docs/cli.md lists all"},
		{Name: "permissions", Status: doctor.Problem, Detail: "other users can read the key; run: chmod 600 '/home/ada/.local/state/bridge/bridge.key'"},
	}
	w.settings = []jsonSetting{
		{"db", filepath.FromSlash("/home/ada/.local/state/bridge/bridge.db"), origin{Source: sourceDefault}},
		{"log_level", "debug", origin{sourceEnvironment, "BRIDGE_LOG_LEVEL"}},
		{"watchdog.silent_after", "3m", origin{sourceFile, "/home/ada/.config/bridge/config.toml:4"}},
	}
	return w
}
