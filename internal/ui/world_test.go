package ui_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/ui"
)

// hostile is text that an agent may write into any field.
const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>" onmouseover="alert(3)` + "\x1b[31m\u202e"

// world is a store with two agents, its page, and a logged-in browser.
type world struct {
	*bridge.Service
	commands *commands.Service
	tasks    *tasks.Service
	claims   *claims.Service
	files    *files.Service
	steps    *steps.Service
	reports  []ui.Run
	other    string // a conversation between agents with hostile roles
	pair     bridgetest.Pair
	clock    *bridgetest.Clock
	path     string // path of the database file
	page     *ui.Server
	link     string
	browser  *http.Client
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, bridgetest.NewEnv(t))
}

// newWorldOn returns a world on a store that other processes use as well.
func newWorldOn(t testing.TB, env *bridgetest.Env) *world {
	t.Helper()
	core := env.Service(t)
	store := env.Store(t)
	w := &world{Service: core, clock: env.Clock, path: env.Path, commands: env.Commands(t, core, bridgetest.FakeSandbox(ranNothing)), tasks: env.Tasks(t, core), claims: claims.New(core, store), files: files.New(core, store), steps: steps.New(core, store), pair: bridgetest.NewPair(t, core)}
	l, err := ui.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.page = ui.New(ui.Config{
		Bridge: core, Commands: w.commands, Tasks: w.tasks, Claims: w.claims, Files: w.files, Steps: w.steps, Runs: w.runs, Now: env.Clock.Now,
		Log: slog.New(slog.DiscardHandler), Store: "the store", Verify: verifier(env.Service(t)), VerifyEvery: time.Hour,
	}, l)
	link, err := w.page.Link(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.link = link.Path()
	ended := make(chan error, 1)
	go func() { ended <- w.page.Serve(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.browser = &http.Client{Jar: jar}
	return w
}

func (w *world) runs() ([]ui.Run, error) { return w.reports, nil }

func verifier(s *bridge.Service) func(context.Context) (audit.Head, error) {
	return func(ctx context.Context) (audit.Head, error) { return s.VerifyAudit(ctx, audit.Head{}) }
}

func ranNothing(context.Context, sandbox.List, sandbox.Options) (sandbox.Result, error) {
	return sandbox.Result{}, nil
}

// login logs in as the login file does in a browser.
func (w *world) login(t testing.TB) {
	t.Helper()
	action, code := w.readLink(t)
	answer, err := w.browser.PostForm(action, url.Values{"code": {code}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text := body(t, answer); answer.StatusCode != http.StatusOK {
		t.Fatalf("the login is answered with %s: %s", answer.Status, text)
	}
}

func (w *world) readLink(t testing.TB) (action, code string) {
	t.Helper()
	text, err := os.ReadFile(w.link)
	if err != nil {
		t.Fatal(err)
	}
	field := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
		if m == nil {
			t.Fatalf("%s is not in %s", pattern, text)
		}
		return m[1]
	}
	return field(`action="([^"]+)"`), field(`name="code" value="([^"]+)"`)
}

func body(t testing.TB, answer *http.Response) string {
	t.Helper()
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// get fetches a page, which must exist.
func (w *world) get(t testing.TB, path string) string {
	t.Helper()
	text, _ := w.answer(t, path, http.StatusOK)
	return text
}

// answer fetches a page, which must be answered with the given status.
func (w *world) answer(t testing.TB, path string, status int) (string, http.Header) {
	t.Helper()
	answer, err := w.browser.Get(w.page.Address() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text := body(t, answer)
	if answer.StatusCode != status {
		t.Fatalf("%s is answered with %s: %s", path, answer.Status, text)
	}
	return text, answer.Header
}

// press submits the form of a page whose action has the given suffix, and returns the page
// that follows.
func (w *world) press(t *testing.T, page, action string) string {
	t.Helper()
	form := regexp.MustCompile(`action="[^"]*` + regexp.QuoteMeta(action) + `"><input type="hidden" name="form" value="([^"]+)">`).FindStringSubmatch(w.get(t, page))
	if form == nil {
		t.Fatalf("%s has no form for %s", page, action)
	}
	answer, err := w.browser.PostForm(w.page.Address()+action, url.Values{"form": {form[1]}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return body(t, answer)
}

// events opens the stream of events and returns a function that waits for the next event.
func (w *world) events(t *testing.T) func() string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.page.Address()+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	return func() string {
		t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return text
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
}

// await fetches a page repeatedly, as an open page does with each event, until it contains
// all parts.
func (w *world) await(t *testing.T, path string, parts ...string) string {
	t.Helper()
	for next := w.events(t); ; next() {
		text := w.get(t, path)
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) }) {
			return text
		}
	}
}

func (w *world) send(t testing.TB, from bridge.Credentials, text string) bridge.Sent {
	t.Helper()
	sent, err := w.Send(t.Context(), from, bridge.SendRequest{Text: text, Files: []string{"a.go"}})
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// actions returns the actions in the log, oldest first.
func (w *world) actions(t *testing.T) (all []string) {
	t.Helper()
	entries, err := w.AuditEntries(t.Context(), bridge.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Session+" "+e.Action+" "+e.Outcome)
	}
	return all
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
}

// everyPage returns the addresses of all pages that show data.
func (w *world) everyPage() []string {
	id := w.pair.A.Conversation
	return []string{
		"", "conversations", "conversations?q=nosuchthing", "conversations?from=100", "conversations/" + id, "conversations/" + id + "?before=1000",
		"messages/1?in=" + id, "agents", "tasks", "claims", "files", "commands", "audit", "audit?before=1000", "audit?conversation=" + id,
		"figures", "limits", "search?q=review", "search?q=nosuchthing", "search", "steps", "conversations/" + id + "/steps", "runs",
	}
}

// crowd fills the store with conversations of ten teams, and with messages of the last day
// and their log entries, half of them in the first conversation.
func (w *world) crowd(t testing.TB, conversations, messages int) {
	t.Helper()
	for i := 1; i < conversations; i++ {
		_, err := w.Create(t.Context(), bridge.CreateRequest{MyRole: fmt.Sprintf("backend %d", i), PartnerRole: "frontend", Team: fmt.Sprintf("team %d", i%10)})
		if err != nil {
			t.Fatal(err)
		}
	}
	numbers := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d), ", messages) +
		fmt.Sprintf("c (i, id) AS MATERIALIZED (SELECT row_number() OVER (ORDER BY id <> '%s') - 1, id FROM conversations), ", w.pair.A.Conversation) +
		fmt.Sprintf("m (i, id, at) AS (SELECT n.i, c.id, %d - (%d - n.i) * %d FROM n JOIN c ON c.i = iif(n.i %% 2, 0, n.i / 2 %% %d)) ",
			w.clock.Now().UnixMicro(), messages, 86_400_000_000/messages, conversations)
	w.change(t,
		"CREATE INDEX temporary ON conversations (id)",
		numbers+`INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
			SELECT id, 'b', i, 'a', 'info', 'Message ' || i || ': GET /users answers with id, name and role; the build is green and the list is drawn from it. Please review.', '[]', '[]', at, 1 FROM m`,
		numbers+`INSERT INTO audit_log (seq, at, conversation, session, action, outcome, details, mac)
			SELECT i + (SELECT max(seq) FROM audit_log), at, id, 'a', 'send_to_partner', 'ok', '{"action_type":"info","characters":120,"message_id":' || i || ',"seq":1}', randomblob(32) FROM m`,
		"DROP INDEX temporary",
		"UPDATE audit_head SET seq = (SELECT max(seq) FROM audit_log), fence = (SELECT max(seq) FROM audit_log)",
		"UPDATE session_status SET last_seq = s.n, read_seq = s.n / 2, handed_seq = s.n / 2 FROM (SELECT conversation, max(seq) AS n FROM messages GROUP BY 1) s WHERE s.conversation = session_status.conversation AND session = 'b'",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	)
}

// change modifies the database directly, bypassing the processes that use it.
func (w *world) change(t testing.TB, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		_, failed := db.ExecContext(t.Context(), s)
		err = errors.Join(err, failed)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
