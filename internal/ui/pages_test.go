package ui_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/ui"
)

// fill stores something for every page to show, with hostile text wherever an agent can
// write.
func (w *world) fill(t *testing.T) {
	t.Helper()
	w.send(t, w.pair.A, "The endpoint answers.\n```go\nfunc main() {}\n```\n"+hostile)
	w.send(t, w.pair.B, hostile)
	created, err := w.Create(t.Context(), bridge.CreateRequest{MyRole: hostile, PartnerRole: "tester", Team: "red & <b>"})
	if err != nil {
		t.Fatal(err)
	}
	w.other = created.ID
	if _, err := w.tasks.AssignTask(t.Context(), w.pair.A, tasks.AssignRequest{Title: hostile, Body: hostile, Needs: "designer"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateStatus(t.Context(), w.pair.B, bridge.StatusBlocked); err != nil {
		t.Fatal(err)
	}
	w.ask(t, "ls -la")
	must(w.steps.LogStep(t.Context(), w.pair.A, steps.LogRequest{Text: "reads the schema"}))(t)
	must(w.steps.LogStep(t.Context(), w.pair.B, steps.LogRequest{Text: hostile}))(t)
	w.reports = []ui.Run{
		{Name: "harness-2.json", Suite: hostile, Revision: "2025-06-18", Began: w.clock.Now(), Took: 1500 * time.Millisecond, Passed: 1, Failed: 1, Cases: []ui.Case{
			{Name: "sums/add", State: "passed", Took: 3 * time.Millisecond},
			{Name: hostile, State: "failed", Took: 2 * time.Minute, Findings: []string{"wrong-result: $.sum is 4, not 3", hostile}},
			{Name: "sums/big", State: "skipped", Reason: hostile},
		}},
		{Name: "harness-1.json", Suite: "sums", Began: w.clock.Now().Add(-time.Hour), NotStarted: true},
	}
}

// ask lets session a ask to run a command.
func (w *world) ask(t *testing.T, command string) {
	t.Helper()
	grant, err := w.commands.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: w.pair.A.Conversation, Mode: "safe", Workspace: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.commands.OpenGrant(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	if _, err := w.commands.EnableYolo(t.Context(), w.pair.A, commands.ModeRequest{Mode: "safe"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.commands.Execute(t.Context(), w.pair.A, commands.Call{Command: command}, nil); err != nil {
		t.Fatal(err)
	}
}

var activeParts = regexp.MustCompile(`(?i)<script>|<script [^s]|<img src=x|\son[a-z]+="|\sstyle=|(?:href|src|action)="\s*javascript:`)

// TestPages checks that every page shows the stored data, and that content written by
// agents appears as plain text only.
func TestPages(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.fill(t)
	w.await(t, "audit", "Verified")
	w.await(t, "figures", "Counted", " UTC: 2 sent, 0 refused") // counted later
	id := w.pair.A.Conversation
	tests := map[string][]string{
		"":                                      {"bridge yolo approve 1", "frontend", "blocked", "Tasks without a worker", "live conversations"},
		"conversations":                         {id, "backend", "tester", "&lt;script&gt;"},
		"conversations?show=unread":             {id},
		"conversations?q=FRONT":                 {id},
		"conversations/" + id:                   {"The endpoint answers.", `<pre class="code">`, "func main() {}", "&lt;script&gt;", "a.go", "Pause"},
		"messages/1?in=" + id:                   {"The endpoint answers.", id},
		"agents":                                {"backend", "frontend", "stuck<", "has not joined"},
		"tasks":                                 {"&lt;script&gt;", "waiting", "designer"},
		"tasks?show=all":                        {"waiting"},
		"tasks/1":                               {"&lt;script&gt;", "needs"},
		"claims":                                {"Nobody has claimed a file"},
		"files":                                 {"Agents share no files yet"},
		"commands":                              {"ls -la", "bridge yolo approve 1", "bridge yolo disable " + id, "Deny"},
		"audit":                                 {"send_to_partner", "create_conversation"},
		"audit?conversation=" + id:              {"send_to_partner", "The last entries about"},
		"files?in=" + id:                        {"Files of all conversations"},
		"steps":                                 {"reads the schema", "&lt;script&gt;", id[:11]},
		"conversations/" + id + "/steps":        {"reads the schema", "&lt;script&gt;", "Steps of all conversations"},
		"conversations/" + id + "/steps?task=1": {"No steps", "All its steps"},
		"runs":                                  {"not started", "2 findings", "&lt;script&gt;", "sums", "1.5 s"},
		"runs/report?name=harness-2.json":       {"wrong-result", "sums/add", "2 min", "&lt;script&gt;", "bridge harness report harness-2.json"},
		"runs/report?name=harness-1.json":       {"not started", "No case ran"},
		"limits":                                {"writes", "conversations", "no limit"},
		"figures":                               {"send_to_partner, ok", "Last hour", `<svg viewBox="0 0 480 60"`, " UTC: 2 sent, 0 refused"},
		"search":                                {"every word"},
		"search?q=reads":                        {"<mark>reads</mark> the schema", "No message matches"},
		"search?q=backend":                      {"conversation", "<mark>backend</mark>"},
		"search?q=ls":                           {"command", "commands?request=1", "<mark>ls</mark> -la"},
		"commands?request=1":                    {"Only request 1", "ls -la"},
		"commands?request=7":                    {"Only request 7", "No request"},
		"search?q=endpoint&before=1":            {"No older message matches"},
		"search?q=endpoint":                     {"<mark>endpoint</mark>", id},
		"search?q=nothingatall":                 {"No message matches"},
		"conversations/" + w.other:              {"<h1>&lt;script&gt;", "tester", "No messages yet"},
		"conversations?q=nosuchthing":           {"None of the 2 conversations"},
		"conversations?from=999999999999":       {id},
	}
	for path, parts := range tests {
		t.Run(path, func(t *testing.T) {
			text := w.get(t, path)
			contains(t, text, parts...)
			if found := activeParts.FindString(text); found != "" {
				t.Errorf("%q is active in\n%s", found, text)
			}
			if strings.ContainsAny(text, "\x1b\u202e") {
				t.Error("controls come through")
			}
		})
	}
}

// TestNotThere checks that an invalid address shows an error and a link back.
func TestNotThere(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	for path, want := range map[string]int{
		"conversations/conv_0000000000000000": http.StatusNotFound, "tasks/99": http.StatusNotFound, "tasks/x": http.StatusNotFound, "runs/report?name=../bridge.key": http.StatusNotFound,
		"conversations/conv_0000000000000000/steps": http.StatusNotFound, "files?in=conv_0000000000000000": http.StatusNotFound,
		"messages/7?in=" + w.pair.A.Conversation: http.StatusNotFound, "nothing": http.StatusNotFound,
		"search?q=" + strings.Repeat("a+", 40): http.StatusBadRequest,
	} {
		answer, err := w.browser.Get(w.page.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		text := body(t, answer)
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s is answered with %s: %s", path, answer.Status, text)
		}
	}
}

// TestReadingIsRecorded checks that each view of a transcript is recorded in the log, but
// not the live updates of an open page.
func TestReadingIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.send(t, w.pair.A, "hello")
	w.get(t, "conversations/"+w.pair.A.Conversation)
	w.get(t, "messages/1?in="+w.pair.A.Conversation)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.page.Address()+"conversations/"+w.pair.A.Conversation, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Bridge-Live", "1")
	answer, err := w.browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	contains(t, body(t, answer), "hello")
	if n := count(w.actions(t), "operator read_conversation ok"); n != 2 {
		t.Errorf("%d views are in the log", n)
	}
}

var messageIDs = regexp.MustCompile(`<article class="message[^"]*" id="m(\d+)">`)

// TestTranscriptPages checks that each message is on exactly one page, and that no page is
// too large.
func TestTranscriptPages(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	const messages = 130
	var want []string
	for i := range messages {
		text := "short"
		if i%3 == 0 {
			text = strings.Repeat("long & ", 7000) // each escaped character takes five bytes
		}
		want = append(want, fmt.Sprint(w.send(t, w.pair.A, text).ID))
	}
	var got []string
	path := "conversations/" + w.pair.A.Conversation
	for path != "" {
		text := w.get(t, path)
		if len(text) > 200<<10 {
			t.Errorf("%s has %d bytes", path, len(text))
		}
		var ids []string
		for _, m := range messageIDs.FindAllStringSubmatch(text, -1) {
			ids = append(ids, m[1])
		}
		got = slices.Concat(ids, got)
		path = ""
		if m := regexp.MustCompile(`href="/[0-9a-f]+/([^"]+)" rel="prev"`).FindStringSubmatch(text); m != nil {
			path = m[1]
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages have %v", got)
	}
}

func TestDeny(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.ask(t, "ls -la")
	contains(t, w.press(t, "commands", "commands/1/deny"), "denied")
	r, err := w.commands.Command(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != commands.StateDenied {
		t.Errorf("the request is %s", r.State)
	}
}

func TestPause(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	path := "conversations/" + w.pair.A.Conversation
	contains(t, w.press(t, path, path+"/pause"), "Resume")
	if _, err := w.Send(t.Context(), w.pair.A, bridge.SendRequest{Text: "no"}); err == nil {
		t.Error("a session sends while it is paused")
	}
	contains(t, w.press(t, path, path+"/resume"), "Pause")
	w.send(t, w.pair.A, "yes")
}

// TestStream checks that an open page is notified of a change, and receives the current
// state first.
func TestStream(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.await(t, "audit", "Verified")
	w.await(t, "figures", "Counted")
	next := w.events(t)
	first := next()
	if page := w.get(t, ""); !strings.Contains(page, `data-state="`+first+`"`) {
		t.Errorf("the stream begins at state %s, the page at another", first)
	}
	w.send(t, w.pair.A, "news")
	for second := first; second == first; {
		second = next() // a periodic event may come in between
	}
}

// TestAlarm checks that once the log does not verify, every page shows a warning and open
// pages are notified, and that the warning goes away once the log is intact again.
func TestAlarm(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.send(t, w.pair.A, "hello")
	w.await(t, "audit", "Verified")
	next := w.events(t)
	before := next()
	w.change(t, "UPDATE audit_log SET session = 'c' WHERE action = 'send_to_partner'")
	contains(t, w.press(t, "audit", "audit/verify"), "Verification failed")
	for told := before; told == before; {
		told = next()
	}
	const alarm = `<p id="alarm" class="alarm" role="alert">The audit log does not verify`
	for _, path := range w.everyPage() {
		contains(t, w.get(t, path), alarm)
	}
	w.change(t, "UPDATE audit_log SET session = 'a' WHERE action = 'send_to_partner'")
	contains(t, w.press(t, "audit", "audit/verify"), "Verified")
	if text := w.get(t, ""); strings.Contains(text, alarm) {
		t.Error("the alarm is still shown although the log is intact again")
	}
}

// TestStepPages checks that each step of a conversation is on exactly one page, newest
// first, and that views are recorded.
func TestStepPages(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	const logged = 230
	for i := range logged {
		must(w.steps.LogStep(t.Context(), w.pair.A, steps.LogRequest{Text: fmt.Sprintf("step %d ends", i+1)}))(t)
	}
	id := w.pair.A.Conversation
	text, path := "", "conversations/"+id+"/steps"
	for pages := 0; path != ""; pages++ {
		page := w.get(t, path)
		text, path = text+page, ""
		if m := further.FindStringSubmatch(page); m != nil {
			path = m[1]
		}
		if pages > 3 {
			t.Fatal("the pages do not end")
		}
	}
	at := -1
	for i := logged; i > 0; i-- {
		part := fmt.Sprintf(">step %d ends<", i)
		next := strings.Index(text, part)
		if next <= at || strings.Count(text, part) != 1 {
			t.Fatalf("step %d occurs %d times, at %d after %d", i, strings.Count(text, part), next, at)
		}
		at = next
	}
	contains(t, w.get(t, "steps"), "step 230 ends", "step 211 ends")
	if n := count(w.actions(t), "operator read_conversation ok"); n != 4 {
		t.Errorf("%d views are in the log", n)
	}
}

// TestLiveSteps checks that an open page is notified of a new step.
func TestLiveSteps(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	path := "conversations/" + w.pair.A.Conversation + "/steps"
	contains(t, w.get(t, path), "No steps")
	must(w.steps.LogStep(t.Context(), w.pair.A, steps.LogRequest{Text: "looks for the fault"}))(t)
	w.await(t, path, "looks for the fault")
}
