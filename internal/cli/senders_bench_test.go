package cli_test

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// slowDisk starts a program so that each flush takes longer by a given time, as on a
// slower disk. Other system calls are not changed.
func slowDisk(b *testing.B, c *exec.Cmd, by time.Duration) *exec.Cmd {
	b.Helper()
	if by == 0 {
		return c
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		b.Skip("MISSING: strace")
	}
	slow := exec.Command(strace, append([]string{
		"-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
		"-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", by.Microseconds()), "--",
	}, c.Args...)...)
	slow.Env = c.Env
	return slow
}

// BenchmarkSenders has 16 agents send messages, each as soon as the previous one is
// answered, once through one gateway and once with a process each on the same store. It
// reports how many times faster the gateway is. The two take turns, each with 320
// messages.
func BenchmarkSenders(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
		b.Run("flush+"+delay.String(), func(b *testing.B) { benchmarkSenders(b, delay) })
	}
}

func benchmarkSenders(b *testing.B, delay time.Duration) {
	const senders, each = 16, 20
	i := install(b)
	g := i.gateway(b)
	g.kill()
	g.slow = func(c *exec.Cmd) *exec.Cmd { return slowDisk(b, c, delay) }
	g.start(b)
	var apart, together []func(ctx context.Context) error
	message := map[string]any{"message": "Which fields does /users return?"}
	for n := range senders {
		bound, _ := i.pair(b)
		process := mustStart(b, slowDisk(b, i.command("serve"), delay), bound)
		apart = append(apart, func(ctx context.Context) error {
			_, failed, err := process.call(ctx, "send_to_partner", message)
			if failed {
				err = cmp.Or(err, errRefusedCall)
			}
			return err
		})
		remote := g.caller(b, fmt.Sprintf("sender %d", n))
		if _, err := remote.call(b.Context(), "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"}); err != nil {
			b.Fatal(err)
		}
		together = append(together, func(ctx context.Context) error {
			_, err := remote.call(ctx, "send_to_partner", message)
			return err
		})
	}
	var one, many time.Duration
	for b.Loop() {
		one += sendAll(b, together, each)
		many += sendAll(b, apart, each)
	}
	sent := float64(senders * each * b.N)
	b.ReportMetric(sent/one.Seconds(), "gateway-sends/s")
	b.ReportMetric(sent/many.Seconds(), "processes-sends/s")
	b.ReportMetric(float64(many)/float64(one), "times")
}

// sendAll has each sender send a number of messages, and returns the total time.
func sendAll(b *testing.B, senders []func(ctx context.Context) error, each int) time.Duration {
	b.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for _, send := range senders {
		all.Go(func() {
			for range each {
				if err := send(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}
