package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/tasks"
)

func program(t *testing.T, mode string) (fleet.Program, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	return fleet.Program{
		Path:    os.Args[0],
		Environ: append(os.Environ(), programEnv+"="+mode, "BRIDGE_TOKEN=secret", "BRIDGE_WATCHDOG_WEBHOOK_SECRET=secret"),
		Output:  &out,
	}, &out
}

func TestProgram(t *testing.T) {
	record, out := program(t, "record")
	if err := record.Send(t.Context(), []byte(`{"a":"$(touch x); 'b'"}`)); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "0 arguments, token \"\", event {\"a\":\"$(touch x); 'b'\"}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	fail, _ := program(t, "fail")
	if err := fail.Send(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("a failure: %v", err)
	}
	hang, _ := program(t, "hang")
	hang.Timeout = 50 * time.Millisecond
	if err := hang.Send(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "longer than 50ms and was killed") {
		t.Errorf("a program that hangs: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hang.Timeout = 0
	if err := hang.Send(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a process that ends: %v", err)
	}
}

func TestWebhook(t *testing.T) {
	secret, event := []byte("a secret of the test"), []byte(`{"event":"worker_silent"}`)
	for name, tt := range map[string]struct {
		answers  []int
		requests int64
		want     string
	}{
		"taken":                {[]int{204}, 1, ""},
		"taken at last":        {[]int{500, 429, 200}, 3, ""},
		"never":                {[]int{503, 503, 503, 503, 200}, 4, "given up after 4 attempts: the webhook answered 503"},
		"not wanted":           {[]int{404, 200}, 1, "the webhook answered 404"},
		"redirects go nowhere": {[]int{302, 200}, 1, "the webhook answered 302"},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := requests.Add(1)
				body, err := io.ReadAll(r.Body)
				if err != nil || !bytes.Equal(body, event) || r.Method != http.MethodPost {
					t.Errorf("%s %q: %v", r.Method, body, err)
				}
				stamp := r.Header.Get(fleet.HeaderTimestamp)
				if got := r.Header.Get(fleet.HeaderSignature); stamp != "1767323045" || got != fleet.Sign(secret, stamp, event) {
					t.Errorf("time stamp %q, signature %q", stamp, got)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.answers[n-1])
			}))
			defer server.Close()
			w, err := fleet.NewWebhook(server.URL+"/?key=canary", secret, bridgetest.NewClock().Now)
			if err != nil {
				t.Fatal(err)
			}
			w.SetRetry(time.Microsecond)
			err = w.Send(t.Context(), event)
			if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if requests.Load() != tt.requests {
				t.Errorf("%d requests, want %d", requests.Load(), tt.requests)
			}
		})
	}
}

// TestSign checks the signature against a fixed value, since receivers compute
// it too.
func TestSign(t *testing.T) {
	const want = "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
	if got := fleet.Sign([]byte("key"), "1700000000", []byte("{}")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWebhookErrorsKeepTheURL(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close() // nothing listens there any more
	w, err := fleet.NewWebhook(server.URL+"/?key=canary", []byte("x"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.SetRetry(time.Microsecond)
	if err := w.Send(t.Context(), nil); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	for _, address := range []string{"", "example.org", "file:///etc/passwd", "ftp://example.org", "http://", ":canary"} {
		if _, err := fleet.NewWebhook(address, []byte("x"), time.Now); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := fleet.NewWebhook("https://example.org", nil, time.Now); err == nil {
		t.Error("a webhook without a secret is taken")
	}
}

// TestInterruptedAlertComesAgain stops the watchdog while it delivers an alert.
func TestInterruptedAlertComesAgain(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s := env.Service(t)
	pair := bridgetest.NewPair(t, s)
	if _, err := s.Heartbeat(t.Context(), pair.B); err != nil {
		t.Fatal(err)
	}
	env.Clock.Advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	outlet := func(ctx context.Context, event []byte) error {
		got = append(got, string(event))
		cancel()
		return ctx.Err()
	}
	w := fleet.Watchdog{Tasks: env.Tasks(t, s), Interval: time.Hour, After: time.Minute, Log: quiet, Outlets: []fleet.Outlet{{Name: "test", Send: outlet}}}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	w.Once = true
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 {
		t.Fatalf("delivered while claimed: %q", got)
	}
	env.Clock.Advance(tasks.AlertClaim)
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0] != got[1] || !strings.Contains(got[0], `"alert_id":1`) {
		t.Errorf("delivered: %q", got)
	}
}
