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
// server with fsync on. It reports the time from the beginning of a send until the
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

// process returns a service with its own store and doorbells.
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

// oneHead makes each log entry wait for the previous transaction, as a log with a
// single chain would: each entry updates the same row and so locks it until the commit.
const oneHead = `CREATE TABLE one_head (n bigint);
INSERT INTO one_head VALUES (0);
CREATE FUNCTION next_of_one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE one_head SET n = n + 1; RETURN NEW; END';
CREATE TRIGGER one_head BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION next_of_one();`

// BenchmarkWriters has 64 writers send on a server with fsync on. It reports how many
// times faster they are with one chain of the log per conversation than with a single
// chain, and than when all write to one conversation. The three variants take turns of
// 512 messages each.
func BenchmarkWriters(b *testing.B) {
	postgrestest.Need(b, server)
	own, err := postgrestest.Start()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	const writers, each = 64, 8
	dsn, key := own.Schema(), bridgetest.NewEnv(b).Key
	chains := process(b, dsn, key)
	dsnOfOne := own.Schema()
	head := process(b, dsnOfOne, key)
	execute(b, dsnOfOne, "SET search_path TO "+schemaOf(b, dsnOfOne)+"; "+oneHead)
	sends := func(service *bridge.Service, to []bridgetest.Pair) time.Duration {
		began := time.Now()
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for range each {
					if _, err := service.Send(context.Background(), to[w%len(to)].A, bridge.SendRequest{Text: "x"}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		return time.Since(began)
	}
	var of, ofOne []bridgetest.Pair
	for range writers {
		of, ofOne = append(of, bridgetest.NewPair(b, chains)), append(ofOne, bridgetest.NewPair(b, head))
	}
	var apart, together, one time.Duration
	for b.Loop() {
		apart += sends(chains, of)
		together += sends(head, ofOne)
		one += sends(chains, of[:1])
	}
	b.ReportMetric(float64(writers*each*b.N)/apart.Seconds(), "sends/s")
	b.ReportMetric(float64(together)/float64(apart), "times-one-chain")
	b.ReportMetric(float64(one)/float64(apart), "times-one-conversation")
}
