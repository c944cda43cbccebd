package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
)

// BenchmarkDelivery sends through one process to sessions that wait in another, on a
// server with fsync on, and tells how long it takes from the begin of a send until its
// message is delivered.
func BenchmarkDelivery(b *testing.B) {
	postgrestest.Need(b, server)
	own, err := postgrestest.Start()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			dsn, key := own.Schema(), bridgetest.NewEnv(b).Key
			from, to := process(b, dsn, key), process(b, dsn, key)
			var all sync.WaitGroup
			took := make([][]time.Duration, writers)
			each := b.N/writers + 1
			for w := range writers {
				p := bridgetest.NewPair(b, from)
				sent := make(chan time.Time, 1)
				all.Go(func() {
					for range each {
						sent <- time.Now() // one message at a time
						if _, err := from.Send(context.Background(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
							b.Error(err)
						}
					}
				})
				all.Go(func() {
					for len(took[w]) < each {
						d, err := to.Check(context.Background(), p.B, bridge.CheckRequest{Wait: 20 * time.Second, Limit: 1}, nil)
						if err != nil {
							b.Error(err)
							return
						}
						for range d.Messages {
							took[w] = append(took[w], time.Since(<-sent))
						}
						if err := to.Confirm(context.Background(), d.Claim); len(d.Messages) > 0 && err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
			b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(len(sorted))/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// process is a service with a store and doorbells of its own.
func process(b *testing.B, dsn string, key bridge.Key) *bridge.Service {
	b.Helper()
	store, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: key, Create: true})
	if err != nil {
		b.Fatal(err)
	}
	bells := store.Bells()
	b.Cleanup(func() {
		_ = bells.Close()
		_ = store.Close()
	})
	return bridge.New(bridge.Config{Store: store, Key: key, Doorbells: bells})
}
