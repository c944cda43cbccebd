package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/postgres/postgrestest"
)

// BenchmarkWaiting has sessions wait for mail over TLS, each on a connection of its own,
// and tells what one of them costs: memory of the gateway and of its client together,
// since both are in this process, and goroutines; and how many statements all of them
// ask a server for in a second while nothing happens.
//
//	go test ./internal/gateway -run '^$' -bench Waiting -benchtime 1000x
//
// It needs two file descriptors for each session.
func BenchmarkWaiting(b *testing.B) {
	b.Run("file", func(b *testing.B) { waitAll(b, newPlace(b, takeAll(b.N)), func() float64 { return 0 }) })
	b.Run("server", func(b *testing.B) {
		postgrestest.Need(b, server)
		dsn := server.Schema()
		waitAll(b, placeOnServer(b, dsn, bridgetest.NewEnv(b).Key, takeAll(b.N)), func() float64 { return statements(b, dsn) })
	})
}

// takeAll lets a gateway have n connections and a few more.
func takeAll(n int) func(*gateway.Options) {
	return func(o *gateway.Options) { o.MaxClients = n + 100 }
}

// Of sessions that wait it is counted for idle what they ask for, when what was asked for
// before that is surely counted: the server does so ten seconds later at most.
const (
	settled = 12 * time.Second
	idle    = 20 * time.Second
)

// statements is how many transactions the server has carried out.
func statements(b *testing.B, dsn string) (n float64) {
	b.Helper()
	c := must(pgx.Connect(b.Context(), dsn))(b)
	defer func() { _ = c.Close(b.Context()) }()
	if err := c.QueryRow(b.Context(), "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

func waitAll(b *testing.B, p *place, asked func() float64) {
	var keys []string
	for n := range b.N/500 + 1 {
		keys = append(keys, p.key(b, fmt.Sprintf("waiting %d", n), access.Agent))
	}
	var sessions []bridge.Credentials
	for len(sessions) < b.N {
		pair := bridgetest.NewPair(b, p.served.Service)
		sessions = append(sessions, pair.A, pair.B)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	var all sync.WaitGroup
	for n := range b.N {
		// Not all handshakes at once: the gateway ends those that take long.
		for p.gateway.AllCalls() < n-64 && !b.Failed() {
			time.Sleep(time.Millisecond)
		}
		body := callOf("check_messages", map[string]any{
			"conversation_id": sessions[n].Conversation, "session_id": sessions[n].Session, "token": sessions[n].Token, "wait_seconds": 50,
		})
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
			if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || strings.Contains(string(text), `"isError":true`) {
				b.Errorf("%d %v: %.200s", resp.StatusCode, err, text)
			}
		})
	}
	bridgetest.Eventually(b, "all wait", func() bool { return p.gateway.AllCalls() == b.N || b.Failed() })
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/float64(b.N)/1024, "KiB/session")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/session")
	if b.N > 1 {
		time.Sleep(settled)
		began := asked()
		time.Sleep(idle)
		b.ReportMetric((asked()-began)/idle.Seconds(), "statements/s")
	}
	p.stop()
	all.Wait()
}
