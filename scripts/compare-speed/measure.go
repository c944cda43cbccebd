//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// place is a temporary store with one or more conversations.
type place struct {
	*rig.Place
	pairs [][2]bridge.Credentials
}

// newPlace creates a store without rate limits.
func (p program) newPlace(ctx context.Context, pairs int) (_ *place, err error) {
	made, err := rig.NewPlace(p.dir, p.path, rig.Unlimited...)
	if err != nil {
		return nil, err
	}
	all := &place{Place: made}
	defer func() {
		if err != nil {
			err = errors.Join(err, all.Close())
		}
	}()
	creator, err := all.Connect(ctx, bridge.Credentials{})
	if err != nil {
		return nil, err
	}
	for range pairs {
		var created struct {
			ID string `json:"conversation_id"`
			A  string `json:"session_a_token"`
			B  string `json:"session_b_token"`
		}
		args := map[string]any{"my_role": "coordinator", "partner_role": "worker"}
		if _, err := creator.Call(ctx, "create_conversation", args, &created); err != nil {
			return nil, errors.Join(err, creator.Close())
		}
		all.pairs = append(all.pairs, [2]bridge.Credentials{
			{Conversation: created.ID, Session: bridge.SessionA, Token: created.A},
			{Conversation: created.ID, Session: bridge.SessionB, Token: created.B},
		})
	}
	return all, creator.Close()
}

// couple are the processes of both sessions of a conversation.
type couple struct{ sender, receiver *rig.Agent }

func (p *place) couple(ctx context.Context, i int) (c couple, err error) {
	if c.sender, err = p.Connect(ctx, p.pairs[i][0]); err != nil {
		return c, err
	}
	c.receiver, err = p.Connect(ctx, p.pairs[i][1])
	return c, err
}

func (c couple) Close() error { return rig.CloseAll(c.sender, c.receiver) }

// text is a message of ordinary length.
var text = strings.Repeat("The build is green, please review. ", 6)

func (c couple) send(ctx context.Context) (time.Duration, error) {
	var sent struct{}
	return c.sender.Call(ctx, "send_to_partner", map[string]any{"message": text}, &sent)
}

// check fetches messages and expects the given number.
func (c couple) check(ctx context.Context, want, wait int) (time.Duration, error) {
	var data struct {
		Messages []struct{} `json:"messages"`
	}
	args := map[string]any{}
	if wait > 0 {
		args["wait_seconds"] = wait
	}
	took, err := c.receiver.Call(ctx, "check_messages", args, &data)
	if err == nil && len(data.Messages) != want {
		err = fmt.Errorf("%d messages came in place of %d", len(data.Messages), want)
	}
	return took, err
}

// cpuOf returns the CPU time used by a process, in microseconds.
func cpuOf(a *rig.Agent) (float64, error) {
	// The ID of a process's CPU clock, as computed by clock_getcpuclockid(3).
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^a.PID()<<3|2), &t); err != nil {
		return 0, err
	}
	return float64(t.Nano()) / 1e3, nil
}

// charged returns the CPU time that a process uses for each of n calls of do.
func charged(a *rig.Agent, n int, do func() error) (float64, error) {
	before, err := cpuOf(a)
	if err != nil {
		return 0, err
	}
	for range n {
		if err := do(); err != nil {
			return 0, err
		}
	}
	time.Sleep(20 * time.Millisecond) // work that follows an answer
	after, err := cpuOf(a)
	return (after - before) / float64(n), err
}

// measureCalls measures lone calls between two agents on a store of their own.
func measureCalls(ctx context.Context, p program) (_ map[string][]float64, err error) {
	place, err := p.newPlace(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	c, err := place.couple(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.calls(ctx, p.calls)
}

// calls measures n sends, n checks that return one message, and n that return none.
func (c *couple) calls(ctx context.Context, n int) (map[string][]float64, error) {
	got := map[string][]float64{}
	exchange := func() error { return c.exchange(ctx, got) }
	for range 30 { // the warm-up
		if err := exchange(); err != nil {
			return nil, err
		}
	}
	clear(got)
	begin, err := cpuOf(c.sender)
	if err != nil {
		return nil, err
	}
	check, err := charged(c.receiver, n, exchange)
	if err != nil {
		return nil, err
	}
	end, err := cpuOf(c.sender)
	if err != nil {
		return nil, err
	}
	empty, err := charged(c.receiver, n, func() error {
		_, err := c.check(ctx, 0, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	got["send/cpu"], got["check/cpu"], got["empty/cpu"] = []float64{(end - begin) / float64(n)}, []float64{check}, []float64{empty}
	return got, nil
}

// exchange sends a message, fetches it, and records how long both took.
func (c *couple) exchange(ctx context.Context, got map[string][]float64) error {
	sent, err := c.send(ctx)
	if err != nil {
		return err
	}
	checked, err := c.check(ctx, 1, 0)
	got["send/wall"] = append(got["send/wall"], rig.Milliseconds(sent))
	got["check/wall"] = append(got["check/wall"], rig.Milliseconds(checked))
	return err
}

// measureDelivery measures sends to a client that waits, while both processes
// are idle.
func measureDelivery(ctx context.Context, p program) (_ map[string][]float64, err error) {
	place, err := p.newPlace(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	c, err := place.couple(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var took []float64
	for range p.calls / 3 {
		arrived := make(chan time.Time, 1)
		failed := make(chan error, 1)
		go func() {
			_, err := c.check(ctx, 1, 50)
			arrived <- time.Now()
			failed <- err
		}()
		time.Sleep(20 * time.Millisecond) // the receiver waits, and everything is idle
		begin := time.Now()
		if _, err := c.send(ctx); err != nil {
			return nil, err
		}
		took = append(took, rig.Milliseconds((<-arrived).Sub(begin)))
		if err := <-failed; err != nil {
			return nil, err
		}
	}
	return map[string][]float64{"delivery": took}, nil
}

// measureStart starts processes on an existing store, and measures the memory of
// some that have worked.
func measureStart(ctx context.Context, p program) (_ map[string][]float64, err error) {
	place, err := p.newPlace(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	got := map[string][]float64{}
	for i := range p.calls / 10 {
		begin := time.Now()
		c := couple{}
		if c.receiver, err = place.Connect(ctx, place.pairs[0][1]); err != nil {
			return nil, err
		}
		_, err := c.check(ctx, 0, 0)
		got["start"] = append(got["start"], rig.Milliseconds(time.Since(begin)))
		if err == nil && i < 3 {
			err = idleMemory(ctx, place, got)
		}
		if err := errors.Join(err, c.Close()); err != nil {
			return nil, err
		}
	}
	return got, nil
}

// idleMemory adds the memory of two processes that have worked and are idle.
func idleMemory(ctx context.Context, place *place, got map[string][]float64) error {
	c, err := place.couple(ctx, 0)
	if err != nil {
		return err
	}
	for range 10 {
		if _, err := c.send(ctx); err != nil {
			return err
		}
		if _, err := c.check(ctx, 1, 0); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second)
	for _, a := range []*rig.Agent{c.sender, c.receiver} {
		m, err := rig.MemoryOf(ctx, a.PID())
		if err != nil {
			return err
		}
		got["memory/resident"] = append(got["memory/resident"], m.Resident)
		got["memory/private"] = append(got["memory/private"], m.Private)
	}
	return c.Close()
}

// pairsFor is how long pairs work in one turn.
const pairsFor = 4 * time.Second

// measurePairs lets pairs send and check without pauses, and counts the calls.
func measurePairs(ctx context.Context, p program) (_ map[string][]float64, err error) {
	place, err := p.newPlace(ctx, p.pairs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	couples := make([]couple, p.pairs)
	defer func() {
		for _, c := range couples {
			err = errors.Join(err, c.Close())
		}
	}()
	for i := range couples {
		if couples[i], err = place.couple(ctx, i); err != nil {
			return nil, err
		}
	}
	calls, errs := make([]int, p.pairs), make([]error, p.pairs)
	var working sync.WaitGroup
	begin := time.Now()
	for i, c := range couples {
		working.Go(func() {
			for errs[i] == nil && time.Since(begin) < pairsFor {
				_, errs[i] = c.send(ctx)
				if errs[i] == nil {
					_, errs[i] = c.check(ctx, 1, 0)
				}
				calls[i] += 2
			}
		})
	}
	working.Wait()
	sum := 0
	for _, n := range calls {
		sum += n
	}
	return map[string][]float64{"pairs/rate": {float64(sum) / time.Since(begin).Seconds()}}, errors.Join(errs...)
}

// measureHundred runs the stress test with a hundred agents.
func measureHundred(ctx context.Context, p program) (map[string][]float64, error) {
	args := []string{"stress", "--preset", "hundred-agents", "--json"}
	if p.dir != "" {
		args = append(args, "--dir", p.dir)
	}
	out, err := exec.CommandContext(ctx, p.path, args...).Output() //nolint:gosec // the build that its user names
	if err != nil && len(out) == 0 {
		return nil, err
	}
	var report struct {
		Times []struct {
			Name   string     `json:"name"`
			Spread rig.Spread `json:"ms"`
		} `json:"times"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, err
	}
	got := map[string][]float64{}
	for _, t := range report.Times {
		if t.Name == "send" {
			got["hundred/p50"], got["hundred/p99"] = []float64{t.Spread.P50}, []float64{t.Spread.P99}
		}
	}
	return got, nil
}
