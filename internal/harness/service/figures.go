package service

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contentType is the content type of Prometheus's text format, version 0.0.4.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// writer writes metrics in that format. Label values must not need escaping.
type writer struct{ strings.Builder }

func (w *writer) head(name, kind, help string) {
	_, _ = fmt.Fprintf(w, "# HELP mcp_test_%s %s\n# TYPE mcp_test_%s %s\n", name, help, name, kind)
}

func (w *writer) value(name string, value float64) {
	_, _ = fmt.Fprintf(w, "mcp_test_%s %s\n", name, number(value))
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (w *writer) gauge(name, help string, value float64) {
	w.head(name, "gauge", help)
	w.value(name, value)
}

// tally is a metric with one value per value of a label.
func (w *writer) tally(name, kind, help, label string, counts map[string]int) {
	w.head(name, kind, help)
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		w.value(fmt.Sprintf("%s{%s=%q}", name, label, key), float64(counts[key]))
	}
}

// complete adds each of the names that is missing, with the value 0.
func complete(counts map[string]int, names ...string) map[string]int {
	all := map[string]int{}
	for _, name := range names {
		all[name] = counts[name]
	}
	return all
}

// Figures writes all metrics. Those of the last run appear once there is one.
func (s *Service) Figures(out io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := new(writer)
	w.gauge("interval_seconds", "The time from the start of one run to the start of the next.", s.Every.Seconds())
	w.tally("runs_total", "counter", "Runs by result.", "result", complete(s.sums.runs, clean, findings, notStarted))
	w.tally("total", "counter", "Cases that ran, by state.", "state", complete(s.sums.cases, "passed", "failed", "flaky", "skipped"))
	w.head("refused_requests_total", "counter", "Requests without a valid key, or without the permission for what they requested.")
	w.value("refused_requests_total", float64(s.refused.all()))
	s.sums.times(w)
	if s.sums.last != nil {
		lastRun(w, *s.sums.last)
	}
	_, err := io.WriteString(out, w.String())
	return err
}

func (s *sums) times(w *writer) {
	w.head("response_time", "histogram", "The time that requests to the server took, in seconds.")
	under := 0
	for i, bound := range bounds {
		if s.buckets != nil {
			under += s.buckets[i]
		}
		w.value(fmt.Sprintf("response_time_bucket{le=%q}", number(bound)), float64(under))
	}
	w.value(`response_time_bucket{le="+Inf"}`, float64(s.count))
	w.value("response_time_sum", s.total.Seconds())
	w.value("response_time_count", float64(s.count))
	if len(s.recent) > 0 {
		w.gauge("response_time_p95", "The 95th percentile of a run's response times in seconds, the median of the last runs.", median(s.recent)/1000)
	}
	if len(s.baseline) > 0 {
		w.gauge("baseline_p95", "The same of the runs that were kept as baseline.", median(s.baseline)/1000)
	}
}

func lastRun(w *writer, r Result) {
	w.gauge("success_rate", "The share of cases of the last run that passed, 0 if the server did not start.", r.Success())
	w.gauge("error_rate", "The share of cases of the last run that failed, 1 if the server did not start.", 1-r.Success())
	w.gauge("last_run_findings", "Findings of the last run.", float64(r.Found()))
	w.tally("findings", "gauge", "Findings of the last run, by kind.", "kind", r.Findings)
	w.gauge("last_run_timestamp_seconds", "When the last run ended.", float64(r.Started.Add(r.Duration).UnixNano())/float64(time.Second))
	w.gauge("run_duration_seconds", "How long the last run took.", r.Duration.Seconds())
	w.gauge("server_start_seconds", "How long the server took to start, in the last run.", r.StartTime.Seconds())
	w.gauge("server_memory_bytes", "The peak resident memory of the server in the last run; 0 if it is not known.", float64(r.PeakMemory))
	w.gauge("list_tokens", "Estimated number of tokens of the list of tools in a model's context.", float64(r.ListTokens))
}
