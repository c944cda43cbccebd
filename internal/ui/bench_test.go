//go:build unix

package ui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPages renders each page of a store with 100,000 messages in 1,000 conversations,
// half of them in one conversation, and as many log entries. It measures the work of the
// server until the page is complete. The metric cpu-ms does not depend on other load of the
// machine.
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

// used returns the processor time used by this process so far.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
