package ui_test

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/ui"
)

// largestPage is the maximum size of any page in bytes, whatever the store holds.
const largestPage = 200 << 10

// quotes returns n characters, each of which takes five bytes in a page.
func quotes(n int) string { return strings.Repeat(`"`, n) }

// must returns a function that fails the test on an error in its preparation.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// stuff stores more of everything than a page can show, each item at its maximum length and
// made of the characters that take the most room.
func (w *world) stuff(t testing.TB) {
	t.Helper()
	ctx, long := t.Context(), quotes(bridge.MaxRoleLength-4)
	for i := range 110 {
		name := fmt.Sprintf("%03d ", i)
		must(w.Create(ctx, bridge.CreateRequest{MyRole: name + long, PartnerRole: name + long, Team: name + long}))(t)
	}
	for i := range 45 {
		name := fmt.Sprintf("%03d ", i)
		must(w.tasks.AssignTask(ctx, w.pair.A, tasks.AssignRequest{Title: name + quotes(tasks.MaxTitleLength-4), Body: quotes(tasks.MaxBodyLength), Needs: name + long}))(t)
		must(w.claims.Take(ctx, w.pair.B, claims.Request{Paths: []string{name + quotes(230)}, Reason: quotes(100)}))(t)
		must(w.files.WriteFile(ctx, w.pair.A, files.WriteRequest{Name: files.Name{Path: "f" + name + quotes(230)}, Text: "x"}))(t)
	}
	for range 25 {
		r := bridge.SendRequest{Text: "word " + quotes(bridge.MaxMessageLength-5)}
		for range bridge.MaxFiles {
			r.Files = append(r.Files, quotes(bridge.MaxFileNameLength))
		}
		must(w.Send(ctx, w.pair.A, r))(t)
	}
	for range 110 {
		must(w.steps.LogStep(ctx, w.pair.A, steps.LogRequest{Text: quotes(steps.MaxText)}))(t)
	}
	for i := range 110 {
		run := ui.Run{Name: fmt.Sprint(i), Suite: quotes(5000), Began: w.clock.Now()}
		for range 110 {
			run.Cases = append(run.Cases, ui.Case{Name: quotes(5000), State: "failed", Findings: []string{quotes(5000), quotes(5000)}})
		}
		w.reports = append(w.reports, run)
	}
	must(w.files.WriteFile(ctx, w.pair.A, files.WriteRequest{Name: files.Name{Path: "long.txt"}, Text: quotes(files.MaxText)}))(t)
	must(w.UpdateStatus(ctx, w.pair.B, bridge.StatusBlocked))(t)
	must(w.PrepareGrant(t, commands.GrantRequest{Conversation: w.pair.A.Conversation, Mode: "safe", Workspace: t.TempDir()}))(t)
	must(w.commands.EnableYolo(ctx, w.pair.A, commands.ModeRequest{Mode: "safe"}))(t)
	for i := range commands.MaxPending {
		must(w.commands.Execute(ctx, w.pair.A, commands.Call{Command: fmt.Sprint("ls ", i, " ", strings.Repeat(`'"'`, 300))}, nil))(t)
	}
}

// PrepareGrant opens a conversation for commands.
func (w *world) PrepareGrant(t testing.TB, r commands.GrantRequest) (commands.Grant, error) {
	t.Helper()
	g, err := w.commands.PrepareGrant(t.Context(), r)
	if err == nil {
		err = w.commands.OpenGrant(t.Context(), g)
	}
	return g, err
}

var further = regexp.MustCompile(`href="/[0-9a-f]+/([^"]*)" rel="(?:next|prev)">(?:Older|Earlier)`)

// TestPageSizes checks that no page is larger than largestPage, whatever agents wrote, and
// that every row of a list is on one of its pages.
func TestPageSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it stores a great deal")
	}
	w := newWorld(t)
	w.login(t)
	w.stuff(t)
	rows := map[string]string{ // text that occurs once for each row of a list
		"conversations": `<tr id="conv_`, "tasks": `<tr id="task-`, "claims": `<tr id="claim-`, "files": `<th scope="row"><a href=`, "agents": `<tr id="`,
	}
	for path, want := range map[string]int{"conversations": 111, "tasks": 45, "claims": 45, "files": 46, "agents": 222} {
		if got := len(w.list(t, path, rows[path])); got != want {
			t.Errorf("/%s has %d rows in all, want %d", path, got, want)
		}
	}
	id := w.pair.A.Conversation
	if got := len(w.list(t, "conversations/"+id, `<article `)); got != 25 {
		t.Errorf("the transcript has %d messages", got)
	}
	for _, path := range append(w.everyPage(), "files/text?path=long.txt&in="+id, "messages/2?in="+id, "tasks/1", "search?q=word", "runs/report?name=3") {
		w.list(t, path, "<tr")
	}
	if n := count(w.actions(t), "operator read_conversation ok"); n == 0 {
		t.Error("no view is recorded in the log")
	}
}

// list follows a list to its end, and returns the matching row elements of all pages.
func (w *world) list(t *testing.T, path, row string) (found []string) {
	t.Helper()
	row = regexp.QuoteMeta(row) + `[^>]*>`
	for pages := 0; path != "" || pages == 0; pages++ {
		text := w.get(t, path)
		if len(text) > largestPage {
			t.Errorf("/%s has %d bytes", path, len(text))
		}
		if pages > 200 {
			t.Fatalf("/%s does not end", path)
		}
		found = append(found, regexp.MustCompile(row).FindAllString(text, -1)...)
		next := further.FindStringSubmatch(text)
		if next == nil {
			break
		}
		path = html.UnescapeString(next[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}
