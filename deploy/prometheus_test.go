package deploy_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/figures"
)

// prometheus is a running server that scrapes metrics.
type prometheus struct{ address string }

// ask calls its HTTP API, and reports whether the answer is not an error.
func (p prometheus) ask(t *testing.T, path string, data any) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.address+"/api/v1/"+path, http.NoBody)
	must(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false // it is not up yet
	}
	defer func() { _ = answer.Body.Close() }()
	all := struct {
		Status string
		Data   any
	}{Data: data}
	return json.NewDecoder(answer.Body).Decode(&all) == nil && all.Status == "success"
}

// resolves reports whether an expression has a result.
func (p prometheus) resolves(t *testing.T, expr string) bool {
	t.Helper()
	var data struct{ Result []any }
	return p.ask(t, "query?query="+url.QueryEscape(expr), &data) && len(data.Result) > 0
}

// fires reports whether an alert fires.
func (p prometheus) fires(t *testing.T, name string) bool {
	t.Helper()
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	if !p.ask(t, "alerts", &data) {
		t.Error("the server does not tell its alerts")
	}
	for _, a := range data.Alerts {
		if a.Labels["alertname"] == name && a.State == "firing" {
			return true
		}
	}
	return false
}

// startPrometheus runs a server with the rules of this folder, which scrapes
// target.
func startPrometheus(t *testing.T, target string) prometheus {
	t.Helper()
	program := tool(t, "prometheus")
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	p := prometheus{free.Addr().String()}
	must(t, free.Close())
	folder := t.TempDir()
	rules, err := filepath.Abs(rulesFile)
	must(t, err)
	config := filepath.Join(folder, "prometheus.yml")
	must(t, os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: bridge
    static_configs: [{targets: [%q]}]
`, rules, target), 0o600))
	log, err := os.Create(filepath.Join(folder, "log"))
	must(t, err)
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+p.address)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Wait()
		must(t, log.Close())
		if t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Logf("prometheus said:\n%s", said)
		}
	})
	return p
}

// TestPrometheus checks with a real server that the metrics are accepted, that no
// expression of the dashboard or of the alerts is an error, and that an alert fires and
// clears.
func TestPrometheus(t *testing.T) {
	tool(t, "prometheus")
	c, e := collector(t, time.Now())
	l, err := figures.Listen(t.Context(), "127.0.0.1:0")
	must(t, err)
	server := figures.Server{Now: time.Now, Log: slog.New(slog.DiscardHandler), Collector: c}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	defer func() {
		stop()
		must(t, <-ended)
	}()
	p := startPrometheus(t, l.Addr().String())

	bridgetest.Eventually(t, "a first scrape", func() bool { return p.resolves(t, `up{job="bridge"} == 1`) })
	for title, expr := range dashboard(t, "bridge", "bridge") {
		bridgetest.Eventually(t, "an answer to "+title, func() bool { return p.resolves(t, expr) })
	}
	for alert, expr := range readRules(t) {
		if !p.ask(t, "query?query="+url.QueryEscape(expr), new(struct{})) {
			t.Errorf("the expression of %s is answered with an error", alert)
		}
	}
	if p.fires(t, "BridgeAuditNotWhole") {
		t.Error("an alert fires for nothing")
	}
	was := change(t, e.Path, "c")
	bridgetest.Eventually(t, "an alert for a log that was changed", func() bool { return p.fires(t, "BridgeAuditNotWhole") })
	change(t, e.Path, was)
	bridgetest.Eventually(t, "the end of the alert", func() bool { return !p.fires(t, "BridgeAuditNotWhole") })
}

// change assigns the first entry of a log to somebody else without using the program, and
// returns the previous value.
func change(t *testing.T, path, session string) (was string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.QueryRow("SELECT session FROM audit_log WHERE seq = 1").Scan(&was))
	_, err = db.Exec("UPDATE audit_log SET session = ? WHERE seq = 1", session)
	must(t, err)
	return was
}
