package agents

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
)

// HookWait waits in the background for mail for a client's session whose agent is idle.
type HookWait struct {
	HookSession
	Bridge HookBridge
	// Client is the client's process; the wait ends when it exits. The zero Process is
	// taken to run forever.
	Client binding.Process
}

// Intervals of a wait. waitSettle lets a hook that the client runs at the same moment,
// or a call of the agent that fetches the messages, go first.
const (
	waitSettle = 400 * time.Millisecond
	waitLook   = time.Second
)

// Run waits and returns the notice with which to wake the agent. It returns "" if the
// wait ends for another reason: ctx or the client ended, there is nothing left to wait
// for, another waiter has taken over, or the agent has been woken too often.
func (w HookWait) Run(ctx context.Context) (string, error) {
	place, err := w.Bindings.Wait(ctx, w.place())
	if err != nil {
		return "", err
	}
	defer func() { _ = place.Close(context.WithoutCancel(ctx)) }()
	for sleep.For(ctx, waitSettle) == nil && place.Current() {
		entries, err := w.Entries()
		if err != nil {
			return "", err
		}
		mail, err := w.Mail(ctx, w.Bridge, entries)
		if err != nil || len(mail) == 0 {
			return "", err
		}
		tell, more, err := w.wake(ctx, mail)
		if !tell.None() {
			return HookNotice(tell), err
		}
		if err != nil || !more {
			return "", err
		}
		if !w.await(ctx, place, entries, mail) {
			return "", nil
		}
	}
	return "", nil
}

// wake decides whether to wake the agent for mail, and records it. more is false if the
// agent has been woken too often.
func (w HookWait) wake(ctx context.Context, mail []HookMail) (tell HookNews, more bool, err error) {
	more = true
	n, err := w.Bindings.Notices(w.name())
	if err != nil || untold(&n, mail).None() {
		return HookNews{}, more, err
	}
	mail, err = w.unfinished(ctx, mail)
	if err != nil {
		return HookNews{}, more, err
	}
	err = w.Bindings.Notify(ctx, w.name(), func(n *binding.Notices) bool {
		if more = n.Woken < MaxHookWakes; !more {
			return false
		}
		if tell = untold(n, mail); tell.None() {
			return false
		}
		n.Woken++
		note(n, tell, true)
		return true
	})
	return tell, more, err
}

// untold returns the news that the agent has not been told of at any event. An end that
// has passed does not wake the agent.
func untold(n *binding.Notices, mail []HookMail) (tell HookNews) {
	for _, m := range mail {
		if m.Unread > 0 && m.LastSeq > max(n.Told[m.Key()], n.Stopped[m.Key()]) {
			tell.Mail = append(tell.Mail, m)
		}
		if m.endsSoon() && !m.ended() && untoldEnd(n, m) {
			tell.Ends = append(tell.Ends, m)
		}
	}
	return tell
}

// unfinished removes the ends of conversations in which the agent has reported its work
// as complete, because it need not be woken for those.
func (w HookWait) unfinished(ctx context.Context, mail []HookMail) ([]HookMail, error) {
	mail = slices.Clone(mail)
	for i, m := range mail {
		if !m.endsSoon() {
			continue
		}
		sessions, err := w.Bridge.PeekRoster(ctx, credentials(m.Entry))
		if err != nil {
			return nil, err
		}
		done := func(state bridge.SessionState) bool {
			return state.Session == bridge.SessionID(m.Session) && state.Status == bridge.StatusComplete
		}
		if slices.ContainsFunc(sessions, done) {
			mail[i].Ends = time.Time{}
		}
	}
	return mail, nil
}

// await returns true when there may be news: a message arrived, a conversation ends
// soon, or the client's bridge sessions are no longer entries, to which mail belongs.
// It returns false when the wait is over.
func (w HookWait) await(ctx context.Context, place *binding.Waiter, entries []binding.Entry, mail []HookMail) bool {
	ctx, cancel := context.WithCancel(ctx)
	came := make(chan error, len(mail))
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer cancel()
	for _, m := range mail {
		waiting.Go(func() { came <- w.Bridge.AwaitMessages(ctx, credentials(m.Entry), m.LastSeq) })
	}
	tick := time.NewTicker(waitLook)
	defer tick.Stop()
	var soon <-chan time.Time
	if d := untilSoon(mail); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		soon = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case err := <-came:
			return err == nil || errors.Is(err, bridge.ErrStoreBusy)
		case <-soon:
			return true
		case <-tick.C:
		}
		if !place.Current() || w.Client.Started != "" && !w.Client.Alive() {
			return false
		}
		now, err := w.Entries()
		if err == nil && !slices.EqualFunc(now, entries, sameSession) {
			return true
		}
	}
}

func sameSession(a, b binding.Entry) bool { return a.Key() == b.Key() && a.Token == b.Token }
