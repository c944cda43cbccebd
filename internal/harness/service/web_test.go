package service_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"example.org/bridge/internal/harness/service"
)

// access writes a file of roles with three users. Each user's key is the name repeated
// twice.
func access(t *testing.T) service.Access {
	t.Helper()
	text := "roles:\n" +
		"  - {name: test-operator, permissions: [\"test:run\", \"test:view\", \"report:view\"]}\n" +
		"  - {name: test-admin, permissions: [\"test:*\", \"config:*\", \"baseline:*\", \"report:*\"]}\n" +
		"  - {name: read-only, permissions: [\"test:view\"]}\nusers:\n"
	for name, role := range map[string]string{"ci-system": "test-operator", "admin": "test-admin", "guest": "read-only"} {
		hash := sha256.Sum256([]byte(name + name))
		text += fmt.Sprintf("  - {username: %s, role: %s, api_key_hash: \"sha256:%s\"}\n", name, role, hex.EncodeToString(hash[:]))
	}
	path := filepath.Join(t.TempDir(), "rbac.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := service.LoadAccess(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ask makes one request. change modifies its headers.
func ask(h http.Handler, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func withKey(key string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
}

// TestRoles checks what each user may request, and that requests without a key or with a
// wrong one are refused.
func TestRoles(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "harness-1.html"), []byte("<p>"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := service.New(service.Options{
		Access: access(t), Reports: folder, Suite: []string{"a/b"}, Baselines: func() (any, error) { return []int{}, nil },
	})
	const all = "admin ci-system guest"
	for _, tt := range []struct{ method, path, allowed string }{
		{"GET", "/health/metrics", all},
		{"GET", "/api/v1/status", all},
		{"POST", "/api/v1/run", "admin ci-system"},
		{"GET", "/api/v1/reports", "admin ci-system"},
		{"GET", "/api/v1/reports/harness-1.html", "admin ci-system"},
		{"GET", "/api/v1/suite", "admin"},
		{"GET", "/api/v1/baselines", "admin"},
	} {
		for _, name := range strings.Fields(all) {
			got, want := ask(s.Health(), tt.method, tt.path, withKey(name+name)).Code/100, 4
			if strings.Contains(tt.allowed, name) {
				want = 2
			}
			if got != want {
				t.Errorf("%s %s for %s: %d00", tt.method, tt.path, name, got)
			}
		}
		for _, key := range []string{"", "admin", "adminadmin ", "sha256:"} {
			if got := ask(s.Health(), tt.method, tt.path, withKey(key)); got.Code != http.StatusUnauthorized || got.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s with the key %q: %d", tt.method, tt.path, key, got.Code)
			}
		}
	}
	if got := ask(s.Metrics(), "GET", "/metrics", nil).Code; got != http.StatusUnauthorized {
		t.Errorf("figures without a key: %d", got)
	}
	if got := ask(s.Metrics(), "GET", "/metrics", func(r *http.Request) { r.Header.Set("X-API-Key", "guestguest") }).Code; got != http.StatusOK {
		t.Errorf("figures with X-API-Key: %d", got)
	}
	if got := ask(s.Health(), "GET", "/health", nil).Code; got != http.StatusOK {
		t.Errorf("health without a key: %d", got)
	}
}

// TestReady checks that no result is available before the first run.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := ask(service.New(service.Options{}).Health(), "GET", "/ready", nil).Code; got != http.StatusServiceUnavailable {
			t.Errorf("before: %d", got)
		}
		s := kept(t, service.Options{Run: results(service.Result{Failed: 1, Findings: map[string]int{"crash": 1}})}, 1)
		if got := ask(s.Health(), "GET", "/ready", nil).Code; got != http.StatusOK {
			t.Errorf("after: %d", got)
		}
		body, _ := io.ReadAll(ask(s.Health(), "GET", "/api/v1/status", nil).Body)
		for _, want := range []string{`"failed": 1`, `"crash": 1`, `"findings": 1`, `"next_run": "`} {
			if !strings.Contains(string(body), want) {
				t.Errorf("the status lacks %s: %s", want, body)
			}
		}
	})
}

// TestPages checks that a web page in a browser has no access.
func TestPages(t *testing.T) {
	s := service.New(service.Options{})
	for name, tt := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"rebound name":   {"GET", "/api/v1/status", func(r *http.Request) { r.Host = "attacker.invalid:8080" }, http.StatusMisdirectedRequest},
		"health by name": {"GET", "/health", func(r *http.Request) { r.Host = "attacker.invalid" }, http.StatusMisdirectedRequest},
		"foreign post":   {"POST", "/api/v1/run", func(r *http.Request) { r.Header.Set("Origin", "https://attacker.invalid") }, http.StatusForbidden},
		"cross-site":     {"POST", "/api/v1/run", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"IPv6":           {"GET", "/health", func(r *http.Request) { r.Host = "[::1]:8080" }, http.StatusOK},
		"own":            {"POST", "/api/v1/run", nil, http.StatusAccepted},
		"by GET":         {"GET", "/api/v1/run", nil, http.StatusMethodNotAllowed},
	} {
		if got := ask(s.Health(), tt.method, tt.path, tt.change).Code; got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// TestReports checks that reports are served and recorded, and that no other file of the
// folder or above it is.
func TestReports(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "reports")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"harness-1.json", "harness-2.html", "notes.html", "harness-3.txt", "../harness-4.json"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var kept log
	s := service.New(service.Options{Reports: folder, Record: kept.record})
	body, _ := io.ReadAll(ask(s.Health(), "GET", "/api/v1/reports", nil).Body)
	if got := strings.Join(strings.Fields(string(body)), ""); got != `{"reports":["harness-2.html","harness-1.json"]}` {
		t.Errorf("listed %s", got)
	}
	for path, want := range map[string]int{
		"harness-1.json": 200, "harness-2.html": 200, "notes.html": 404, "harness-3.txt": 404, "..%2fharness-4.json": 404, "%2e%2e%2fharness-4.json": 404, "harness-9.json": 404,
	} {
		answer := ask(s.Health(), "GET", "/api/v1/reports/"+path, nil)
		if answer.Code != want {
			t.Errorf("%s: %d", path, answer.Code)
		}
		if want == 200 && !strings.HasPrefix(answer.Header().Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s may run scripts", path)
		}
	}
	if len(kept.lines) != 2 || kept.lines[0] != "harness_serve_view by local" {
		t.Errorf("recorded %v", kept.lines)
	}
	if got := ask(service.New(service.Options{}).Health(), "GET", "/api/v1/reports/service.go", nil).Code; got != http.StatusNotFound {
		t.Errorf("without a folder: %d", got)
	}
}

// TestRefusalsAreBounded checks that guessing keys does not fill the audit log.
func TestRefusalsAreBounded(t *testing.T) {
	a := access(t)
	synctest.Test(t, func(t *testing.T) {
		var kept log
		s := service.New(service.Options{Access: a, Record: kept.record})
		for range 1000 {
			ask(s.Health(), "GET", "/api/v1/status", withKey("guess"))
		}
		if len(kept.lines) != 1 || !strings.Contains(figures(t, s), "mcp_test_refused_requests_total 1000\n") {
			t.Errorf("%d entries", len(kept.lines))
		}
	})
}
