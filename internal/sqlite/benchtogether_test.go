package sqlite_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// BenchmarkManySenders compares 64 senders that share one connection to a store, as in
// a gateway, with 64 that have one each, as in separate processes.
func BenchmarkManySenders(b *testing.B) {
	const senders = 64
	for _, stores := range []int{1, senders} {
		b.Run(fmt.Sprintf("stores=%d", stores), func(b *testing.B) {
			e := bridgetest.NewEnv(b)
			services := make([]*bridge.Service, stores)
			for i := range services {
				services[i] = e.Service(b)
			}
			pairs := make([]bridgetest.Pair, senders)
			for i := range pairs {
				pairs[i] = bridgetest.NewPair(b, services[0])
			}
			var next atomic.Int64
			b.SetParallelism(senders)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				n := int(next.Add(1)-1) % senders
				for pb.Next() {
					if _, err := services[n%stores].Send(b.Context(), pairs[n].A, bridge.SendRequest{Text: "a message"}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
