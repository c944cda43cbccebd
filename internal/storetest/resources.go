package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

var resourceTests = []test{
	{"a session reads what its conversation shares", resourceReads},
	{"a task can be read in its conversation, with its steps and files", resourceTask},
	{"a resource of others does not exist for the caller, and the log names the caller", resourceForeign},
	{"a list contains what can be read", resourceList},
	{"a mark changes with the changes of another process, and only with them", resourceMarks},
	{"the mark of a resource of others never changes", resourceForeignMarks},
	{"a session whose token was rotated sees that the resource is gone", resourceGone},
	{"an expired conversation can be read for as long as its mail", resourceLate},
}

// shared returns the resource services of both processes.
func (w *world) shared() (a, b *resources.Service) {
	return resources.New(w.a, w.tasksA, w.claims, w.files, w.stepsA), resources.New(w.b, w.tasksB, w.claimsB, w.filesB, w.stepsB)
}

func (w *world) read(t *testing.T, c bridge.Credentials, uri string) resources.Content {
	t.Helper()
	_, b := w.shared()
	return must(b.ReadResource(t.Context(), []bridge.Credentials{c}, uri))(t)
}

func resourceReads(t *testing.T, w *world) {
	room := w.room(t, 3)
	conversation := room[0].Conversation
	w.write(t, room[0], "docs/api.md", "one\n", 0)
	w.claim(t, room[1], "src/**")
	w.step(t, room[2], "reads the contract")
	w.sendTo(t, room[0], "hello", "b")
	equal(t, "status", must(w.a.UpdateStatus(t.Context(), room[1], bridge.StatusBlocked))(t).Status, bridge.StatusBlocked)

	all := w.read(t, room[2], "collaboration://"+conversation)
	equal(t, "entry", w.lastEntry(t), "c read_resource ok")
	equal(t, "self", all.Described.Self.Session, bridge.SessionID("c"))
	equal(t, "partners", all.Described.Partners.IDs(), []bridge.SessionID{"a", "b"})
	b, _ := all.Described.Partners.Of("b")
	equal(t, "unread of b", b.Unread, int64(1))
	equal(t, "claims", len(all.Claims), 1)
	equal(t, "claimed", all.Claims[0].Path, "src/**")
	equal(t, "files", []string{all.Files[0].Path, all.Files[0].Text}, []string{"docs/api.md", ""})
	equal(t, "steps", all.Steps[0].Text, "reads the contract")

	agent := w.read(t, room[2], "agents://"+conversation+"/b/status")
	equal(t, "agent", []any{agent.Described.Partners.IDs(), agent.Described.Partners[0].Status}, []any{[]bridge.SessionID{"b"}, bridge.StatusBlocked})
	own := w.read(t, room[2], "agents://"+conversation+"/c/status")
	equal(t, "own", []any{own.Described.Self.Session, len(own.Described.Partners)}, []any{bridge.SessionID("c"), 0})
	equal(t, "text", w.read(t, room[1], "workspace://"+conversation+"/docs%2Fapi.md").File.Text, "one\n")
	equal(t, "entry", w.lastEntry(t), "b file_read ok")
	w.verify(t)
}

func resourceTask(t *testing.T, w *world) {
	team := w.team(t, "api", "backend", "frontend")
	task := w.assign(t, team.a[0], "Write it", "")
	worker := team.b[0]
	if task.Worker != worker.Conversation {
		worker = team.b[1]
	}
	w.report(t, worker, task.ID, tasks.Accepted, "begun")
	must(w.stepsA.LogStep(t.Context(), worker, steps.LogRequest{Text: "half of it", Task: task.ID}))(t)
	must(w.files.WriteFile(t.Context(), worker, files.WriteRequest{Name: files.Name{Path: "plan.md", Task: task.ID}, Text: "x"}))(t)
	_, b := w.shared()
	for _, all := range [][]bridge.Credentials{{worker}, team.a} {
		state := must(b.ReadResource(t.Context(), all, "tasks://1/state"))(t)
		equal(t, "task", []any{state.Task.Title, state.Task.State, len(state.History)}, []any{"Write it", tasks.Accepted, 2})
		equal(t, "steps", must(b.ReadResource(t.Context(), all, "tasks://1/logs"))(t).Steps[0].Text, "half of it")
		equal(t, "files", must(b.ReadResource(t.Context(), all, "tasks://1/files"))(t).Files[0].Path, "plan.md")
	}
	for _, stranger := range []bridge.Credentials{w.pair(t).A, otherWorker(team, worker)} {
		_, err := b.ReadResource(t.Context(), []bridge.Credentials{stranger}, "tasks://1/state")
		equal(t, "a stranger", errors.Is(err, bridge.ErrNoResource), true)
		equal(t, "entry", strings.HasSuffix(w.lastEntry(t), " list_tasks refused"), true)
	}
}

func otherWorker(team team, not bridge.Credentials) bridge.Credentials {
	for _, c := range team.b {
		if c != not {
			return c
		}
	}
	return bridge.Credentials{}
}

func resourceForeign(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.write(t, other.A, "secret.md", "x", 0)
	_, b := w.shared()
	forged := bridge.Credentials{Conversation: other.A.Conversation, Session: "a", Token: p.A.Token}
	for name, c := range map[string]struct {
		all   []bridge.Credentials
		uri   string
		entry string
	}{
		"another's conversation": {[]bridge.Credentials{p.A, p.B}, "collaboration://" + other.A.Conversation, "? read_resource unauthorized"},
		"another's file":         {[]bridge.Credentials{p.A}, "workspace://" + other.A.Conversation + "/secret.md", "? read_resource unauthorized"},
		"another's agent":        {[]bridge.Credentials{p.A}, "agents://" + other.A.Conversation + "/b/status", "? read_resource unauthorized"},
		"no such conversation":   {[]bridge.Credentials{p.A}, "collaboration://conv_0123456789abcdef", "? read_resource unauthorized"},
		"no such file":           {[]bridge.Credentials{p.A}, "workspace://" + p.A.Conversation + "/secret.md", "a file_read refused"},
		"no such agent":          {[]bridge.Credentials{p.A}, "agents://" + p.A.Conversation + "/q/status", "a read_resource ok"},
		"a forged token":         {[]bridge.Credentials{forged}, "collaboration://" + other.A.Conversation, "a read_resource unauthorized"},
		"nobody":                 {nil, "collaboration://" + p.A.Conversation, "? read_resource unauthorized"},
		"nobody's task":          {nil, "tasks://1/state", "? read_resource invalid"},
	} {
		before := len(w.log(t))
		_, err := b.ReadResource(t.Context(), c.all, c.uri)
		equal(t, name, errors.Is(err, bridge.ErrNoResource), true)
		equal(t, name+" is logged", len(w.log(t)) > before, true)
		equal(t, name, w.lastEntry(t), c.entry)
	}
	_, err := b.ReadResource(t.Context(), []bridge.Credentials{p.A}, "file:///etc/passwd")
	var invalid *bridge.InvalidError
	equal(t, "no URI", errors.As(err, &invalid), true)
	equal(t, "entry", w.lastEntry(t), "a read_resource invalid")
	w.verify(t)
}

func resourceList(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.write(t, p.A, "a b.md", "x", 0)
	w.write(t, other.A, "secret.md", "x", 0)
	w.beat(t, p.B)
	w.assign(t, p.A, "Write it", "")
	_, b := w.shared()
	var uris []string
	for _, l := range must(b.ListResources(t.Context(), []bridge.Credentials{p.A, p.B}))(t) {
		uris = append(uris, l.URI.String())
		w.read(t, p.A, l.URI.String())
	}
	c := p.A.Conversation
	equal(t, "list", uris, []string{
		"collaboration://" + c, "agents://" + c + "/a/status", "agents://" + c + "/b/status", "workspace://" + c + "/a%20b.md",
		"tasks://1/state", "tasks://1/logs", "tasks://1/files",
	})
	equal(t, "nobody's", len(must(b.ListResources(t.Context(), nil))(t)), 0)
	equal(t, "a forged one's", len(must(b.ListResources(t.Context(), []bridge.Credentials{{Conversation: c, Session: "a", Token: other.A.Token}}))(t)), 0)
}

// marks returns the marks of the resources that a session watches, starting with its
// list.
func (w *world) marks(t *testing.T, c bridge.Credentials, uris ...string) map[string]string {
	t.Helper()
	_, b := w.shared()
	uris = append([]string{""}, uris...)
	all := make([]resources.Watched, len(uris))
	for i, uri := range uris {
		all[i] = resources.Watched{Credentials: c, URI: uri}
	}
	found := must(b.WatchResources(t.Context(), all, nil, 0, nil))(t)
	marks := map[string]string{}
	for i, uri := range uris {
		marks[uri] = found[i]
	}
	return marks
}

func resourceMarks(t *testing.T, w *world) {
	p := w.pair(t)
	c := p.A.Conversation
	w.beat(t, p.B)
	w.write(t, p.B, "api.md", "one\n", 0)
	w.write(t, p.B, "other.md", "one\n", 0)
	task := w.assign(t, p.A, "Write it", "").ID
	named := map[string]string{
		"list": "", "all": "collaboration://" + c, "b": "agents://" + c + "/b/status", "file": "workspace://" + c + "/api.md",
		"state": "tasks://1/state", "logs": "tasks://1/logs", "files": "tasks://1/files",
	}
	var uris []string
	for _, uri := range named {
		uris = append(uris, uri)
	}
	for _, step := range []struct {
		what    string
		do      func()
		changes string
	}{
		{"nothing", func() {}, ""},
		{"a read", func() { w.read(t, p.A, "collaboration://"+c); w.read(t, p.B, "workspace://"+c+"/api.md") }, ""},
		{"an edit", func() { must(w.edit(t, p.B, "api.md", "one", "two", 1))(t) }, "all file"},
		{"another file's edit", func() { must(w.edit(t, p.B, "other.md", "one", "two", 1))(t) }, "all"},
		{"a write that changes nothing", func() { w.write(t, p.B, "other.md", "two\n", 2) }, ""},
		{"a new file", func() { w.write(t, p.B, "new.md", "x", 0) }, "list all"},
		{"a claim", func() { w.claim(t, p.B, "src/a.go") }, "all"},
		{"a lease that runs out", func() { w.clock.Advance(claims.DefaultSeconds * time.Second) }, "all"},
		{"a step", func() { w.step(t, p.B, "x") }, "all"},
		{"a step for the task", func() { must(w.stepsA.LogStep(t.Context(), p.B, steps.LogRequest{Text: "x", Task: task}))(t) }, "all logs"},
		{"a file of the task", func() {
			must(w.files.WriteFile(t.Context(), p.B, files.WriteRequest{Name: files.Name{Path: "t.md", Task: task}, Text: "x"}))(t)
		}, "list files"},
		{"a status", func() { must(w.a.UpdateStatus(t.Context(), p.B, bridge.StatusWorking))(t) }, "all b"},
		{"the same status", func() { must(w.a.UpdateStatus(t.Context(), p.B, bridge.StatusWorking))(t) }, ""},
		{"a message", func() { w.send(t, w.a, p.A) }, "all b"},
		{"a report", func() { w.report(t, p.B, task, tasks.Accepted, "") }, "all state"},
		{"an invitation", func() { must(w.a.Invite(t.Context(), p.A, "tester"))(t) }, "list all"},
		{"silence", func() { w.clock.Advance(bridge.AliveFor) }, "all b"},
	} {
		before, together := w.marks(t, p.A, uris...), w.workMark(t, c)
		step.do()
		after := w.marks(t, p.A, uris...)
		// The mark that covers the whole conversation must change whenever any other
		// mark does.
		if changed := w.workMark(t, c) != together; changed != (step.changes != "") {
			t.Errorf("%s changes the mark of the conversation: %t", step.what, changed)
		}
		for name, uri := range named {
			wanted := strings.Contains(" "+step.changes+" ", " "+name+" ")
			if changed := before[uri] != after[uri]; changed != wanted {
				t.Errorf("%s changes the mark of %s: %t", step.what, name, changed)
			}
		}
	}
}

// workMark returns the mark of a conversation, which changes with its content. It must
// be the same regardless of how many others are queried with it.
func (w *world) workMark(t *testing.T, conversation string) string {
	t.Helper()
	const unknown = "conv_0123456789abcdef"
	marks := must(w.storeB.WorkMarks(t.Context(), []string{conversation, unknown, conversation}, w.clock.Now()))(t)
	alone := must(w.storeA.WorkMarks(t.Context(), []string{conversation}, w.clock.Now()))(t)
	equal(t, "marks", marks, []string{alone[0], "", alone[0]})
	equal(t, "no marks", len(must(w.storeA.WorkMarks(t.Context(), nil, w.clock.Now()))(t)), 0)
	return alone[0]
}

func resourceForeignMarks(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.beat(t, other.B)
	w.write(t, other.A, "api.md", "one", 0)
	w.assign(t, other.A, "Write it", "")
	for uri, mark := range w.marks(t, p.A, "collaboration://"+other.A.Conversation, "workspace://"+other.A.Conversation+"/api.md",
		"agents://"+other.A.Conversation+"/a/status", "tasks://1/state", "tasks://1/logs", "tasks://1/files", "tasks://2/state") {
		equal(t, "mark of "+uri, mark == resources.Gone, uri != "")
	}
	_, b := w.shared()
	for _, count := range []int{0, resources.MaxWatched + 1} {
		_, err := b.WatchResources(t.Context(), make([]resources.Watched, count), nil, 0, nil)
		var invalid *bridge.InvalidError
		equal(t, "too many marks, or none", errors.As(err, &invalid), true)
	}
}

func resourceGone(t *testing.T, w *world) {
	p := w.pair(t)
	uri := "collaboration://" + p.B.Conversation
	_, b := w.shared()
	watched := []resources.Watched{{Credentials: p.B, URI: uri}}
	known := must(b.WatchResources(t.Context(), watched, nil, 0, nil))(t)
	equal(t, "the same", must(b.WatchResources(t.Context(), watched, known, 0, nil))(t), known)
	together := w.workMark(t, p.B.Conversation)
	must(w.a.RotateToken(t.Context(), p.B.Conversation, "b"))(t)
	equal(t, "the mark of the conversation is the same", w.workMark(t, p.B.Conversation) == together, false)
	entries := len(w.log(t))
	equal(t, "gone", must(b.WatchResources(t.Context(), watched, known, bridge.MaxWait, nil))(t), []string{resources.Gone})
	equal(t, "entries of watching", len(w.log(t))-entries, 0)
	_, err := b.ReadResource(t.Context(), []bridge.Credentials{p.B}, uri)
	equal(t, "read", errors.Is(err, bridge.ErrNoResource), true)
}

func resourceLate(t *testing.T, w *world) {
	p := w.pair(t)
	w.write(t, p.A, "api.md", "one", 0)
	w.clock.Advance(bridge.DefaultTTL + time.Minute)
	w.read(t, p.A, "collaboration://"+p.A.Conversation)
	equal(t, "text", w.read(t, p.A, "workspace://"+p.A.Conversation+"/api.md").File.Text, "one")
	w.clock.Advance(bridge.Grace)
	_, b := w.shared()
	_, err := b.ReadResource(t.Context(), []bridge.Credentials{p.A}, "collaboration://"+p.A.Conversation)
	equal(t, "after the grace", errors.Is(err, bridge.ErrNoResource), true)
}
