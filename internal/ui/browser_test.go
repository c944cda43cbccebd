package ui_test

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

var (
	packages = flag.String("ui.packages", "", "a folder with playwright-core and axe-core (make test-ui)")
	browser  = flag.String("ui.browser", "", "the program of Chromium")
	pictures = flag.String("ui.pictures", "", "write pictures of the page into this folder (make ui-screenshots)")
)

// inBrowser runs a script of testdata/browser, which prints the faults it finds.
func (w *world) inBrowser(t *testing.T, script string, pages any, env ...string) {
	t.Helper()
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(*packages, "node_modules/.bin/node"), filepath.Join("testdata/browser", script))
	cmd.Env = append(os.Environ(), "UI_PACKAGES="+*packages, "UI_BROWSER="+*browser, "UI_LINK="+w.link, "UI_PAGES="+string(list))
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "FAULT ") {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// TestBrowser checks every page in a real Chromium.
func TestBrowser(t *testing.T) {
	if *packages == "" {
		t.Skip("MISSING: -ui.packages (make test-ui gives it)")
	}
	w := newWorld(t)
	w.fill(t)
	w.share(t)
	id := w.pair.A.Conversation
	control := httptest.NewServer(w.control(t))
	defer control.Close()
	w.inBrowser(t, "check.mjs", []string{
		"", "conversations", "conversations?q=nosuchthing", "conversations/" + id, "messages/1?in=" + id, "agents", "tasks", "tasks/1",
		"claims", "files", "files/text?in=" + id + "&path=api.md", "steps", "conversations/" + id + "/steps", "runs", "runs/report?name=harness-2.json", "commands", "audit", "audit?conversation=" + id, "figures", "limits",
		"search?q=endpoint", "search",
	}, "UI_CONTROL="+control.URL, "UI_CONVERSATION="+id)
}

// control performs an action for the script, as an agent or as the test itself.
func (w *world) control(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /send", func(_ http.ResponseWriter, r *http.Request) {
		if _, err := w.Send(r.Context(), w.pair.A, bridge.SendRequest{Text: r.URL.Query().Get("text")}); err != nil {
			t.Error(err)
		}
	})
	for name, do := range map[string]func(text string) error{
		"task": func(text string) error {
			_, err := w.tasks.AssignTask(t.Context(), w.pair.A, tasks.AssignRequest{Title: text, Body: text, Needs: "designer"})
			return err
		},
		"claim": func(text string) error {
			_, err := w.claims.Take(t.Context(), w.pair.B, claims.Request{Paths: []string{text}})
			return err
		},
		"write": func(text string) error {
			_, err := w.files.WriteFile(t.Context(), w.pair.A, files.WriteRequest{Name: files.Name{Path: text}, Text: text})
			return err
		},
		"edit": func(text string) error {
			_, err := w.files.EditFile(t.Context(), w.pair.B, files.EditRequest{Name: files.Name{Path: "api.md"}, Old: "GET", New: text})
			return err
		},
		"step": func(text string) error {
			_, err := w.steps.LogStep(t.Context(), w.pair.A, steps.LogRequest{Text: text})
			return err
		},
		"status": func(text string) error {
			_, err := w.UpdateStatus(t.Context(), w.pair.A, bridge.Status(text))
			return err
		},
		"ask": func(text string) error {
			_, err := w.commands.Execute(t.Context(), w.pair.A, commands.Call{Command: text}, nil)
			return err
		},
		"fill": func(string) error { // a list longer than the window
			for i := range 60 {
				if _, err := w.steps.LogStep(t.Context(), w.pair.B, steps.LogRequest{Text: fmt.Sprint("step ", i)}); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		mux.HandleFunc("POST /"+name, func(_ http.ResponseWriter, r *http.Request) {
			if err := do(r.URL.Query().Get("text")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	mux.HandleFunc("POST /request", func(out http.ResponseWriter, r *http.Request) {
		one, err := w.commands.Command(r.Context(), 1)
		if err != nil {
			t.Error(err)
		}
		_, _ = out.Write([]byte(one.State))
	})
	return mux
}

// share lets both sessions change a shared file and claim a path.
func (w *world) share(t *testing.T) {
	t.Helper()
	name := files.Name{Path: "api.md"}
	if _, err := w.files.WriteFile(t.Context(), w.pair.A, files.WriteRequest{Name: name, Text: "# API\n\nGET /users gives id and name.\n"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.files.EditFile(t.Context(), w.pair.B, files.EditRequest{Name: name, Old: "id and name", New: "id, name and role"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.claims.Take(t.Context(), w.pair.B, claims.Request{Paths: []string{"web/users.ts"}, Reason: "the list of users"}); err != nil {
		t.Fatal(err)
	}
}

// TestPictures takes the screenshots for the documents.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("MISSING: -ui.pictures (make ui-screenshots gives it)")
	}
	w := newWorld(t)
	w.work(t)
	id := w.pair.A.Conversation
	w.inBrowser(t, "pictures.mjs", [][2]string{
		{"overview", ""},
		{"conversations", "conversations"},
		{"transcript", "conversations/" + id},
		{"agents", "agents"},
		{"tasks", "tasks"},
		{"task", "tasks/1"},
		{"claims", "claims"},
		{"files", "files"},
		{"file", "files/text?in=" + id + "&path=api.md"},
		{"steps", "steps"},
		{"commands", "commands"},
		{"audit", "audit"},
		{"figures", "figures"},
		{"limits", "limits"},
		{"search", "search?q=users"},
		{"nothing", "search?q=nosuchthing"},
		{"runs", "runs"},
		{"message", "messages/2?in=" + id},
		{"expired", "conversations?q=nosuchthing"},
	}, "UI_PICTURES="+*pictures)
}

// work stores sample content: a morning of two agents.
func (w *world) work(t *testing.T) {
	t.Helper()
	say := func(from bridge.Credentials, text string) {
		if _, err := w.Send(t.Context(), from, bridge.SendRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(4 * time.Minute)
	}
	say(w.pair.A, "GET /users returns id and name. Which fields do you need for the list?")
	say(w.pair.B, "The role as well, and whether the account is open:\n```ts\ntype User = { id: number; name: string; role: string; open: boolean }\n```")
	say(w.pair.A, "Both are in. The staging database is postgres://app:"+rand.Text()+"@db/app if you want to try it.")
	w.share(t)
	if _, err := w.tasks.AssignTask(t.Context(), w.pair.A, tasks.AssignRequest{Title: "Draw the empty list of users", Body: "Say what to do next.", Needs: "designer"}); err != nil {
		t.Fatal(err)
	}
	for _, roles := range [][2]string{{"reviewer", "author"}, {"release", "tester"}} {
		if _, err := w.Create(t.Context(), bridge.CreateRequest{MyRole: roles[0], PartnerRole: roles[1], Team: "shop"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.UpdateStatus(t.Context(), w.pair.B, bridge.StatusBlocked); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateStatus(t.Context(), w.pair.A, bridge.StatusWorking); err != nil {
		t.Fatal(err)
	}
	must(w.steps.LogStep(t.Context(), w.pair.A, steps.LogRequest{Text: "added role and open to GET /users; the tests pass"}))(t)
	must(w.steps.LogStep(t.Context(), w.pair.B, steps.LogRequest{Text: "waits for the empty list before it draws the table"}))(t)
	w.ask(t, "ls -la web")
	w.clock.Advance(50 * time.Second)
}
