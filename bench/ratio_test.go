package bench_test

import (
	"context"
	"database/sql/driver"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// connectC opens the database using SQLite in C with the settings of the
// product.
func connectC(path string) (driver.Conn, error) {
	query := url.Values{
		"mode":            {"rw"},
		"_busy_timeout":   {"30000"},
		"_synchronous":    {"FULL"},
		"_foreign_keys":   {"on"},
		"_trusted_schema": {"off"},
	}
	return new(sqlite3.SQLiteDriver).Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode())
}

// stopwatch is a store that measures only the transaction of each send, without
// the domain's work around it.
type stopwatch struct {
	bridge.Store
	times []time.Duration
}

func (s *stopwatch) AppendMessage(ctx context.Context, g bridge.Gate, key string, d bridge.Draft) (bridge.Sent, error) {
	start := time.Now()
	defer func() { s.times = append(s.times, time.Since(start)) }()
	return s.Store.AppendMessage(ctx, g, key, d)
}

// sender returns a new store, opened with connect (nil: the product's driver),
// and a function that sends a message there.
func sender(b *testing.B, connect func(string) (driver.Conn, error)) (*stopwatch, func()) {
	b.Helper()
	env := bridgetest.NewEnv(b)
	store, err := sqlite.Open(context.Background(), env.Path, sqlite.Options{Key: env.Key, Create: true, Connect: connect})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	watch := &stopwatch{Store: store}
	s := bridge.New(bridge.Config{Store: watch, Key: env.Key})
	session := bridgetest.NewPair(b, s).A
	return watch, func() {
		if _, err := s.Send(context.Background(), session, bridge.SendRequest{Text: "Which fields does /users return?"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendAgainstC sends alternately on modernc's SQLite and on SQLite in
// C: token, limit, message and audit entry in one durable transaction.
// Alternating spreads the machine's noise over both; medians exclude its
// outliers.
func BenchmarkSendAgainstC(b *testing.B) {
	ours, send := sender(b, nil)
	c, sendC := sender(b, connectC)
	for b.Loop() {
		send()
		sendC()
	}
	ourMedian, cMedian := median(ours.times), median(c.times)
	b.ReportMetric(float64(ourMedian.Microseconds()), "modernc-µs")
	b.ReportMetric(float64(cMedian.Microseconds()), "C-µs")
	b.ReportMetric(float64(ourMedian)/float64(cMedian), "ratio")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
