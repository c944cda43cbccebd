package storetest

import (
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

var retentionTests = []test{
	{"defaults", retentionDefaults},
	{"old rows are removed, the last is kept", retentionOld},
	{"other conversations", retentionElsewhere},
}

const day = 24 * time.Hour

// retentionDefaults checks that unset times have their documented defaults, that set
// times apply in all processes, and that invalid times are refused.
func retentionDefaults(t *testing.T, w *world) {
	age := func(kind bridge.Retained) time.Duration {
		for _, r := range must(w.b.Retention(t.Context()))(t) {
			if r.Kind == kind {
				return r.Age
			}
		}
		t.Fatalf("%s is not retained", kind)
		return 0
	}
	equal(t, "conversations", age(bridge.RetainConversations), time.Duration(0))
	equal(t, "steps", age(bridge.RetainSteps), bridge.Forever)
	equal(t, "snapshots", age(bridge.RetainSnapshots), 30*day)
	must(w.a.SetRetention(t.Context(), map[bridge.Retained]time.Duration{bridge.RetainSteps: day, bridge.RetainSnapshots: 2 * day}))(t)
	equal(t, "entry", w.lastEntry(t), "operator set_retention ok")
	entries := w.log(t)
	equal(t, "details", entries[len(entries)-1].Details, `{"snapshots":"48h0m0s","steps":"24h0m0s"}`)
	equal(t, "steps", age(bridge.RetainSteps), day)
	equal(t, "snapshots", age(bridge.RetainSnapshots), 2*day)
	must(w.a.SetRetention(t.Context(), map[bridge.Retained]time.Duration{bridge.RetainSteps: bridge.Forever}))(t)
	equal(t, "steps", age(bridge.RetainSteps), bridge.Forever)
	for _, kind := range []bridge.Retained{bridge.RetainConversations, bridge.RetainSnapshots} {
		if _, err := w.a.SetRetention(t.Context(), map[bridge.Retained]time.Duration{kind: bridge.Forever}); err == nil {
			t.Errorf("%s may be kept forever", kind)
		}
	}
}

// grown returns a conversation with rows of two days of every kind that has a retention
// time.
func (w *world) grown(t *testing.T) bridgetest.Pair {
	t.Helper()
	p := w.pair(t)
	for i := range 2 {
		w.keyed(t, p, i)
		w.keyedTask(t, p, i)
		for k := range 2 {
			must(w.stepsA.LogStep(t.Context(), p.A, steps.LogRequest{Text: "works"}))(t)
			must(w.files.WriteFile(t.Context(), p.A, files.WriteRequest{
				Name: files.Name{Path: "a.md"}, Text: string(rune('a'+2*i+k)) + "\n", Version: int64(2*i + k),
			}))(t)
		}
		must(w.a.Extend(t.Context(), p.A, bridge.MaxTTL))(t)
		w.clock.Advance(day)
	}
	return p
}

// keyed sends message number i, with an idempotency key.
func (w *world) keyed(t *testing.T, p bridgetest.Pair, i int) bridge.Sent {
	t.Helper()
	return must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "text", IdempotencyKey: string(rune('a' + i))}))(t)
}

// keyedTask assigns task number i, with an idempotency key.
func (w *world) keyedTask(t *testing.T, p bridgetest.Pair, i int) tasks.Result {
	t.Helper()
	return must(w.tasksA.AssignTask(t.Context(), p.A, tasks.AssignRequest{Title: "x", Body: "x", IdempotencyKey: string(rune('k' + i))}))(t)
}

// retentionOld removes what is older than a day and a half, and then everything that
// may be removed.
func retentionOld(t *testing.T, w *world) {
	p := w.grown(t)
	equal(t, "nothing is set", must(w.a.ForgetOld(t.Context(), false))(t), bridge.Old{})
	set := func(age time.Duration) {
		must(w.a.SetRetention(t.Context(), map[bridge.Retained]time.Duration{
			bridge.RetainSteps: age, bridge.RetainFileVersions: age, bridge.RetainKeys: age,
		}))(t)
	}
	set(36 * time.Hour)
	want := bridge.Old{FileVersions: 2, Steps: 2, Keys: 2}
	before := w.state(t)
	equal(t, "would go", must(w.a.ForgetOld(t.Context(), true))(t), want)
	equal(t, "went", must(w.a.ForgetOld(t.Context(), false))(t), want)
	equal(t, "entry", w.lastEntry(t), "operator cleanup ok")
	equal(t, "again", must(w.a.ForgetOld(t.Context(), false))(t), bridge.Old{})
	equal(t, "messages", w.state(t), before)
	left := must(w.storeB.Steps(t.Context(), steps.Query{Conversation: p.A.Conversation, Limit: 9}))(t)
	equal(t, "steps", len(left), 2)
	equal(t, "first step", left[0].Number, int64(3))
	file, changes := w.history(t, p)
	equal(t, "changes", len(changes), 2)
	equal(t, "file", file.Version, int64(4))
	equal(t, "history", file.History, changes[0].Bytes+changes[1].Bytes)
	equal(t, "a key that was kept", w.keyed(t, p, 1).Repeated, true)
	equal(t, "a key that was forgotten", w.keyed(t, p, 0).Repeated, false)
	equal(t, "a task's key that was kept", w.keyedTask(t, p, 1).Repeated, true)
	equal(t, "a task's key that was forgotten", w.keyedTask(t, p, 0).Repeated, false)

	set(0)
	must(w.a.ForgetOld(t.Context(), false))(t)
	must(w.stepsA.LogStep(t.Context(), p.A, steps.LogRequest{Text: "goes on"}))(t)
	left = must(w.storeB.Steps(t.Context(), steps.Query{Conversation: p.A.Conversation, Limit: 9}))(t)
	equal(t, "the last step stayed", len(left), 2)
	equal(t, "numbers go on", left[1].Number, int64(5))
	_, changes = w.history(t, p)
	equal(t, "the last change stayed", len(changes), 1)
	must(w.files.WriteFile(t.Context(), p.A, files.WriteRequest{Name: files.Name{Path: "a.md"}, Text: "z\n", Version: 4}))(t)
	w.verify(t)
}

func (w *world) history(t *testing.T, p bridgetest.Pair) (files.File, []files.Change) {
	t.Helper()
	file, changes, err := w.storeB.FileHistory(t.Context(), p.A.Conversation, files.Name{Path: "a.md"})
	if err != nil {
		t.Fatal(err)
	}
	return file, changes
}

// retentionElsewhere checks that each conversation gets its own entry, and one with
// nothing old gets none.
func retentionElsewhere(t *testing.T, w *world) {
	w.grown(t)
	w.grown(t)
	young := w.pair(t)
	must(w.stepsA.LogStep(t.Context(), young.A, steps.LogRequest{Text: "young"}))(t)
	must(w.a.SetRetention(t.Context(), map[bridge.Retained]time.Duration{bridge.RetainSteps: time.Hour}))(t)
	equal(t, "went", must(w.a.ForgetOld(t.Context(), false))(t), bridge.Old{Steps: 6})
	entries := 0
	for _, e := range w.log(t) {
		if e.Action == "cleanup" {
			entries++
			if e.Conversation == young.A.Conversation {
				t.Error("nothing was old there")
			}
		}
	}
	equal(t, "entries", entries, 2)
}
