package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/harness/local"
)

// Metrics returns the handler of the metrics port.
func (s *Service) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.allowed(TestView, s.metrics))
	return s.guarded(mux)
}

// Health returns the handler of the port for health, status and reports.
func (s *Service) Health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /ready", s.ready)
	mux.Handle("GET /health/metrics", s.allowed(TestView, s.metrics))
	mux.Handle("GET /api/v1/status", s.allowed(TestView, s.status))
	mux.Handle("POST /api/v1/run", s.allowed(TestRun, s.runNow))
	mux.Handle("GET /api/v1/suite", s.allowed(ConfigView, func(w http.ResponseWriter, _ *http.Request, _ string) { answer(w, http.StatusOK, s.Suite) }))
	mux.Handle("GET /api/v1/baselines", s.allowed(BaselineView, s.baselines))
	mux.Handle("GET /api/v1/reports", s.allowed(ReportView, s.reports))
	mux.Handle("GET /api/v1/reports/{name}", s.allowed(ReportView, s.report))
	return s.guarded(mux)
}

// guarded refuses requests that a web page could make its user's browser send: cross-site
// requests and, if no key is needed, requests for a host name other than this machine's
// (DNS rebinding).
func (s *Service) guarded(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if s.Access.Open() && !local.Host(strings.Trim(host, "[]")) {
			answer(w, http.StatusMisdirectedRequest, problem("the name of this server is localhost"))
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	}))
}

// allowed requires a key whose role has a permission. Do is called with the name of the
// user.
func (s *Service) allowed(p Permission, do func(w http.ResponseWriter, r *http.Request, by string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Access.Open() {
			do(w, r, "local")
			return
		}
		u, ok := s.Access.identify(keyOf(r))
		switch {
		case !ok:
			s.refuse(r, "")
			w.Header().Set("WWW-Authenticate", `Bearer realm="bridge harness"`)
			answer(w, http.StatusUnauthorized, problem("send a key as Authorization: Bearer KEY"))
		case !s.Access.may(u.role, p):
			s.refuse(r, u.name)
			answer(w, http.StatusForbidden, problem(fmt.Sprintf("your role %q lacks the permission %s", u.role, p)))
		default:
			do(w, r, u.name)
		}
	})
}

func keyOf(r *http.Request) string {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return key
	}
	return r.Header.Get("X-API-Key")
}

func (s *Service) refuse(r *http.Request, by string) {
	if since := s.refused.note(time.Now()); since > 0 {
		s.record(r.Context(), ActionRefused, map[string]any{"by": by, "times": since})
	}
}

func problem(text string) map[string]string { return map[string]string{"error": text} }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body)
}

func (s *Service) metrics(w http.ResponseWriter, _ *http.Request, _ string) {
	var text bytes.Buffer
	_ = s.Figures(&text) // writing to a buffer cannot fail
	w.Header().Set("Content-Type", contentType)
	_, _ = text.WriteTo(w)
}

// ready reports whether there is a result, which is the case after the first run.
func (s *Service) ready(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	ready := s.sums.last != nil
	s.mu.Unlock()
	if !ready {
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "the first run has not finished yet"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (s *Service) status(w http.ResponseWriter, _ *http.Request, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := struct {
		Running bool           `json:"running"`
		Next    *time.Time     `json:"next_run,omitempty"`
		Runs    map[string]int `json:"runs"`
		Last    *Result        `json:"last_run"`
	}{Running: s.running, Runs: complete(s.sums.runs, clean, findings, notStarted), Last: s.sums.last}
	if !s.next.IsZero() && !s.running {
		body.Next = &s.next
	}
	answer(w, http.StatusOK, body)
}

func (s *Service) runNow(w http.ResponseWriter, _ *http.Request, by string) {
	state := "the run starts next"
	if !s.Ask(by) {
		state = "a run has already been requested"
	}
	answer(w, http.StatusAccepted, map[string]string{"status": state})
}

func (s *Service) baselines(w http.ResponseWriter, _ *http.Request, _ string) {
	all, err := s.Baselines()
	if err != nil {
		s.warn(err)
		answer(w, http.StatusInternalServerError, problem("the baselines cannot be read: the log of the service has the reason"))
		return
	}
	answer(w, http.StatusOK, all)
}

// reportTypes are the content types of reports by the extension of their names.
var reportTypes = map[string]string{".json": "application/json", ".xml": "application/xml", ".html": "text/html; charset=utf-8"}

// names returns the reports in the folder, newest first.
func (s *Service) names() []string {
	names := []string{}
	entries, _ := os.ReadDir(s.Reports) // without a folder there are no reports
	for _, e := range slices.Backward(entries) {
		if reportTypes[filepath.Ext(e.Name())] != "" && strings.HasPrefix(e.Name(), "harness-") && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

func (s *Service) reports(w http.ResponseWriter, _ *http.Request, _ string) {
	answer(w, http.StatusOK, map[string]any{"reports": s.names()})
}

func (s *Service) report(w http.ResponseWriter, r *http.Request, by string) {
	name := r.PathValue("name")
	if s.Reports == "" || !slices.Contains(s.names(), name) {
		answer(w, http.StatusNotFound, problem("there is no such report: GET /api/v1/reports lists them"))
		return
	}
	data, err := os.ReadFile(filepath.Join(s.Reports, name)) //nolint:gosec // it is one of the names that the folder has
	if err != nil {
		answer(w, http.StatusNotFound, problem("the report is gone"))
		return
	}
	s.record(r.Context(), ActionView, map[string]any{"by": by, "report": name})
	w.Header().Set("Content-Type", reportTypes[filepath.Ext(name)])
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(data) //nolint:gosec // a report in HTML: it was escaped, and the header above forbids scripts
}
