package gateway_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridgetest"
)

// BenchmarkWaiting has sessions wait for mail over TLS, each on a connection of its own,
// and tells what one of them costs: memory of the gateway and of its client together,
// since both are in this process, and goroutines.
//
//	go test ./internal/gateway -run '^$' -bench Waiting -benchtime 1000x
func BenchmarkWaiting(b *testing.B) {
	p := newPlace(b)
	pair := bridgetest.NewPair(b, p.served.Service)
	var keys []string
	for n := range b.N/500 + 1 {
		keys = append(keys, p.key(b, "waiting"+string(rune('a'+n)), access.Agent))
	}
	body := callOf("check_messages", map[string]any{
		"conversation_id": pair.A.Conversation, "session_id": "b", "token": pair.B.Token, "wait_seconds": 50,
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	var all sync.WaitGroup
	for n := range b.N {
		all.Go(func() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://"+p.address+"/mcp", strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json, text/event-stream")
			resp, err := p.web(keys[n/500]).Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				b.Errorf("%d %v", resp.StatusCode, err)
			}
		})
	}
	bridgetest.Eventually(b, "all wait", func() bool { return p.gateway.AllCalls() == b.N })
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/float64(b.N)/1024, "KiB/session")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/session")
	p.stop()
	all.Wait()
}
