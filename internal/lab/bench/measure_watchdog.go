package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/sleep"
)

// measureWatchdog kills a worker that has a task, and measures how long it takes until
// `bridge fleet watchdog` has informed the clients of the others.
func measureWatchdog(ctx context.Context, r *run) (err error) {
	if !r.endsDaemons() {
		return nil
	}
	f, err := r.newFleet(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// Otherwise the kill would always happen at the same time between two checks.
	if err := sleep.For(ctx, r.texts.within(r.Look)); err != nil {
		return err
	}
	if err := f.killWorker(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Silence+2*r.Look+time.Minute)
	defer cancel()
	told, err := f.orchestrator.await(ctx, "is silent")
	if err != nil {
		return fmt.Errorf("the message to the orchestrator: %w", err)
	}
	given, err := f.other.await(ctx, "You were given task")
	if err != nil {
		return fmt.Errorf("the message to the other worker: %w", err)
	}
	settings := fmt.Sprintf("silence %s, a check every %s", r.Silence, r.Look)
	r.add(
		seconds("watchdog/alert", "from the end of the threshold until the orchestrator's client is notified: "+settings, told.Sub(f.lastBeat.Add(r.Silence))),
		seconds("watchdog/silence", "from the last heartbeat until the orchestrator's client is notified: "+settings, told.Sub(f.lastBeat)),
		seconds("watchdog/reassign", "from then until the other worker's client has the task", max(given.Sub(told), 0)),
	)
	return nil
}

func seconds(name, about string, d time.Duration) Figure {
	return Figure{Name: name, About: about, Unit: "s", Samples: 1, Value: d.Seconds()}
}

// fleet is an orchestrator with two workers, one of which has a task, and a watchdog. A
// worker's heartbeats come from a keepalive.
type fleet struct {
	*place
	pairs               []pair
	orchestrator, other *agent
	killedWorker        *rig.Daemon
	lastBeat            time.Time // of the killed worker
	killed              bool
	daemons             []*rig.Daemon // without that of the killed worker
}

func (r *run) newFleet(ctx context.Context) (_ *fleet, err error) {
	p, err := r.newPlace()
	if err != nil {
		return nil, err
	}
	f := &fleet{place: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.pairs, err = p.pairs(ctx, 2); err != nil {
		return nil, err
	}
	if err := f.startWorkers(ctx, r.Silence/10); err != nil {
		return nil, err
	}
	if f.orchestrator, err = p.connect(ctx, f.pairs[0].a); err != nil {
		return nil, err
	}
	if f.other, err = p.connect(ctx, f.pairs[1].b); err != nil {
		return nil, err
	}
	if err := f.orchestrator.assign(ctx); err != nil {
		return nil, err
	}
	dog, err := p.StartDaemon(ctx, "fleet", "watchdog", "--interval", r.Look.String(), "--silent-after", r.Silence.String())
	if err != nil {
		return nil, err
	}
	f.daemons = append(f.daemons, dog)
	return f, nil
}

// startWorkers starts the keepalives, and returns when each has given a heartbeat.
func (f *fleet) startWorkers(ctx context.Context, beat time.Duration) (err error) {
	if f.killedWorker, f.lastBeat, err = f.startWorker(ctx, f.pairs[0], beat); err != nil {
		return err
	}
	other, _, err := f.startWorker(ctx, f.pairs[1], beat)
	if err != nil {
		return err
	}
	f.daemons = append(f.daemons, other)
	go other.Discard()
	return nil
}

func (f *fleet) startWorker(ctx context.Context, c pair, beat time.Duration) (_ *rig.Daemon, first time.Time, err error) {
	file, err := f.TokenFile(c.b)
	if err != nil {
		return nil, first, err
	}
	d, err := f.StartDaemon(ctx, "fleet", "keepalive", "--json", "--token-file", file, "--interval", beat.String())
	if err != nil {
		return nil, first, err
	}
	l, err := d.Next(ctx)
	if err != nil {
		_, stopped := d.Stop()
		return nil, first, errors.Join(fmt.Errorf("bridge fleet keepalive: %w", err), stopped)
	}
	p, err := pulseOn(l)
	return d, p.At, err
}

// killWorker kills the first worker's keepalive, and records the time of its last
// heartbeat.
func (f *fleet) killWorker() error {
	rest, err := f.killedWorker.Kill()
	f.killed = true
	for _, l := range rest {
		p, err := pulseOn(l)
		if err != nil {
			return err
		}
		f.lastBeat = p.At
	}
	return err
}

func (f *fleet) Close() error {
	errs := []error{closeAll(f.orchestrator, f.other)}
	for _, d := range f.daemons {
		_, err := d.Stop()
		errs = append(errs, err)
	}
	if f.killedWorker != nil && !f.killed {
		_, err := f.killedWorker.Stop()
		errs = append(errs, err)
	}
	return errors.Join(append(errs, f.place.Close())...)
}

// assign assigns a task to the partner.
func (a *agent) assign(ctx context.Context) error {
	var task struct {
		State string `json:"state"`
	}
	_, err := a.Call(ctx, "assign_task", map[string]any{"title": "Write the parser"}, &task)
	if err == nil && task.State != "assigned" {
		err = fmt.Errorf("the task is %q instead of assigned", task.State)
	}
	return err
}

// await waits for a message that contains text, and returns when the client received it.
func (a *agent) await(ctx context.Context, text string) (time.Time, error) {
	for {
		got, _, err := a.check(ctx, 1, longPoll)
		at := time.Now()
		if err != nil {
			return at, err
		}
		for _, message := range got {
			if strings.Contains(message, text) {
				return at, nil
			}
		}
	}
}
