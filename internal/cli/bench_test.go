package cli_test

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

// report adds the percentiles of the measured times to a benchmark's result.
func report(b *testing.B, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds())
	}
	b.ReportMetric(at(0.50), "p50-µs")
	b.ReportMetric(at(0.99), "p99-µs")
}

// BenchmarkStart measures the time from the start of a process to its first answer,
// with an existing store.
func BenchmarkStart(b *testing.B) {
	i := install(b)
	i.pair(b)
	var times []time.Duration
	for b.Loop() {
		serve := i.command("serve")
		in, err := serve.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := serve.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if err := serve.Start(); err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(in, handshake); err != nil {
			b.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(begin))
		_ = in.Close()
		if err := serve.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	report(b, times)
}

// BenchmarkSendTool measures send_to_partner as a client sees it.
func BenchmarkSendTool(b *testing.B) {
	i := install(b)
	session, _ := i.pair(b)
	c := i.mustConnect(b, session)
	var times []time.Duration
	for b.Loop() {
		begin := time.Now()
		c.mustCall(b, "send_to_partner", map[string]any{"message": "Which fields does /users return?"})
		times = append(times, time.Since(begin))
	}
	report(b, times)
}

// BenchmarkDelivery measures the delivery of a message between two processes as their
// clients see it: from the answer to the sender, which comes after the commit, until
// the partner, who waits with wait_seconds, has the message.
func BenchmarkDelivery(b *testing.B) {
	i := install(b)
	from, to := i.pair(b)
	sender, receiver := i.mustConnect(b, from), i.mustConnect(b, to)
	bells := os.DirFS(filepath.Join(filepath.Dir(i.db), "bells"))
	var whole, behind []time.Duration
	for b.Loop() {
		arrived := make(chan time.Time, 1)
		go func() {
			data, _, err := receiver.call(context.Background(), "check_messages", map[string]any{"wait_seconds": 50})
			now := time.Now()
			if messages, _ := data["messages"].([]any); err != nil || len(messages) != 1 {
				b.Errorf("the receiver got %v, %v", data, err)
			}
			arrived <- now
		}()
		for waiting := false; !waiting; { // the receiver must be waiting first
			found, _ := fs.Glob(bells, "*/*")
			waiting = len(found) > 0
		}
		begin := time.Now()
		sender.mustCall(b, "send_to_partner", map[string]any{"message": "hello"})
		sent := time.Now()
		at := <-arrived
		whole = append(whole, at.Sub(begin))
		behind = append(behind, max(at.Sub(sent), 0))
	}
	report(b, behind)
	slices.Sort(whole)
	b.ReportMetric(float64(whole[len(whole)/2].Microseconds()), "with-send-p50-µs")
}

// BenchmarkRefusal measures a call with a wrong token, including its entry in the log.
func BenchmarkRefusal(b *testing.B) {
	i := install(b)
	session, _ := i.pair(b)
	session.Token = "0"
	c := i.mustConnect(b, bridge.Credentials{Conversation: session.Conversation, Session: "a", Token: "0"})
	for b.Loop() {
		if _, failed, err := c.call(context.Background(), "check_messages", nil); err != nil || !failed {
			b.Fatal("a wrong token was accepted")
		}
	}
}
