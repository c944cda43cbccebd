//go:build unix

package ui_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

// BenchmarkPages makes each page of a store with 100,000 messages in 1,000 conversations,
// half of them in one, and as many entries in its log. What is measured is what the server
// does until the page is whole; cpu-ms is the same on a machine that has other work.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	w.login(b)
	w.crowd(b, 1_000, 100_000)
	address, cookies := w.cookies(b)
	handler := w.page.Handler()
	for _, path := range w.everyPage() {
		b.Run("/"+strings.ReplaceAll(path, w.pair.A.Conversation, "ID"), func(b *testing.B) {
			var answer *httptest.ResponseRecorder
			before := used(b)
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, w.page.Address()+path, nil)
				r.Host = address.Host
				for _, c := range cookies {
					r.AddCookie(c)
				}
				answer = httptest.NewRecorder()
				handler.ServeHTTP(answer, r)
			}
			b.ReportMetric(float64((used(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(answer.Body.Len())/1000, "kB")
			if answer.Code != http.StatusOK || answer.Body.Len() > largestPage {
				b.Fatalf("status %d, %d bytes", answer.Code, answer.Body.Len())
			}
		})
	}
}

// used is the processor time that this process has taken.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowd fills the store with conversations of ten teams, and with messages of the last day
// and their entries in the log, half of them in the first conversation.
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

// change changes the store behind the back of its processes.
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
