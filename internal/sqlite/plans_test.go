package sqlite_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

// oneRow are the scans of tables that never grow. pauses has one row for each
// conversation that the operator has paused.
var oneRow = []string{"SCAN audit_head", "SCAN h", "SCAN 2-ROW VALUES CLAUSE", "SCAN CONSTANT ROW", "SCAN pauses", "SCAN quota", "SCAN store"}

// ofSchema are the scans of the schema when a store is opened.
var ofSchema = []string{"SCAN sqlite_schema", "SCAN sqlite_master"}

// TestQueryPlans checks that no statement that agents cause reads more of a table than
// it returns, so that the store stays as fast with a million messages.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	store := e.Store(t)
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	work := tasks.New(s, store)
	bridgetest.SetLimits(t, s, bridge.DefaultLimits())
	created, err := s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	a := bridge.Credentials{Conversation: created.ID, Session: bridge.SessionA, Token: created.TokenA}
	b := bridge.Credentials{Conversation: created.ID, Session: bridge.SessionB, Token: created.TokenB}
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Join(ctx, created.JoinCode))
	must(s.Send(ctx, a, bridge.SendRequest{Text: "x", IdempotencyKey: "k"}))
	must(s.Send(ctx, a, bridge.SendRequest{Text: "x"}))
	must(s.Send(ctx, a, bridge.SendRequest{Text: strings.Repeat("0123456789abcdef", 4)})) // looks like a token
	d, err := s.Check(ctx, b, bridge.CheckRequest{Limit: 1}, nil)
	must(d, err)
	must(nil, s.Renew(ctx, d.Claim))
	must(nil, s.Confirm(ctx, d.Claim))
	d, err = s.Check(ctx, b, bridge.CheckRequest{}, nil)
	must(d, err)
	must(nil, s.GiveBack(ctx, d.Claim))
	must(s.History(ctx, a, 0, 0))
	must(s.History(ctx, a, 5, 0))
	must(s.UpdateStatus(ctx, a, bridge.StatusWorking))
	must(s.CheckPartners(ctx, a, ""))
	must(s.Heartbeat(ctx, b))
	must(s.PeekMessages(ctx, b, bridge.FromUnread, 0))
	must(s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", Team: "blue", Holds: []bridge.Credentials{a}}))
	task, err := work.AssignTask(ctx, a, tasks.AssignRequest{Title: "x", IdempotencyKey: "k"})
	must(task, err)
	must(work.AssignTask(ctx, a, tasks.AssignRequest{Title: "x", IdempotencyKey: "k"}))
	must(work.UpdateTask(ctx, b, tasks.Report{ID: task.Task.ID, State: tasks.Done}))
	must(work.ListTasks(ctx, a, tasks.Query{}))
	must(work.ListTasks(ctx, b, tasks.Query{}))
	must(work.ReadTask(ctx, b, task.Task.ID))
	leases := claims.New(s, store)
	must(leases.Take(ctx, b, claims.Request{Paths: []string{"a.go"}}))
	must(leases.Release(ctx, b, nil))
	must(s.Messages(ctx, created.ID, 0, 10))
	must(s.Conversation(ctx, created.ID))
	must(s.Tokens(ctx, created.ID))
	must(s.RotateTokens(ctx, created.ID))
	_, _ = s.Join(ctx, "wrong")
	_, _ = s.CheckPartners(ctx, b, "")
	must(s.AuditEntries(ctx, bridge.AuditQuery{Limit: 10, Last: true}))
	room := bridgetest.NewRoom(t, s, 3)
	must(s.CheckPartners(ctx, room[0], ""))

	plans, err := store.Plans()
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 15 {
		t.Errorf("only %d statements were looked at", len(plans))
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(plans)), func(q string) bool { return strings.Contains(q, "fingerprint = ?") }) {
		t.Error("no token was looked for")
	}
	for query, plan := range plans {
		for _, step := range plan {
			if slices.Contains(oneRow, step) || slices.Contains(ofSchema, step) {
				continue
			}
			if strings.HasPrefix(step, "SCAN") || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s\nin\n%s", step, query)
			}
		}
	}
}

// TestPlanOfHistory checks that a page of history in a conversation of more than two is
// found by the session's own inbox numbers and by what it sent, without scanning the
// conversation's messages.
func TestPlanOfHistory(t *testing.T) {
	t.Parallel()
	plan, err := bridgetest.NewEnv(t).Store(t).HistoryPlan()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(plan, "\n")
	for _, step := range []string{
		"SEARCH sent USING PRIMARY KEY (conversation=? AND sender=? AND message<?)",
		"messages_inbox (conversation=? AND recipient=? AND seq<?)",
		"SEARCH copies USING PRIMARY KEY (conversation=? AND recipient=? AND seq<?)",
		"SEARCH m USING INTEGER PRIMARY KEY (rowid=?)",
	} {
		if !strings.Contains(all, step) {
			t.Errorf("no step %q in\n%s", step, all)
		}
	}
	if strings.Contains(all, "messages_history") || strings.Contains(all, "SCAN m") {
		t.Errorf("all messages of a conversation are read:\n%s", all)
	}
}
