package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/lazyregexp"
	"example.org/bridge/internal/sleep"
)

// session is one side of a conversation, and the agent that acts for it.
type session struct {
	*run
	*member
	bridge.Credentials
	number   int
	texts    *texts
	inbox    *Inbox
	partners []*session     // the other sessions of its conversation
	given    chan int64     // tasks it was told about
	told     map[int64]bool // the same; used within note
}

func (r *run) newSession(m *member, c bridge.Credentials) *session {
	s := &session{run: r, member: m, Credentials: c, given: make(chan int64, 1+r.Tasks), told: map[int64]bool{}}
	s.inbox = &Inbox{Name: c.Conversation + "/" + string(c.Session)}
	r.note(func(l *ledger) { l.inboxes = append(l.inboxes, s.inbox) })
	return s
}

// ask calls a tool as this session until there is an answer. It repeats the call after
// kills, and after rate limits, a busy store and a server that does not answer, for which
// agents are told to wait. It returns whether an attempt before the last one may have had
// an effect.
func (s *session) ask(ctx context.Context, tool string, args map[string]any, data any) (took time.Duration, again bool, err error) {
	args["conversation_id"], args["session_id"], args["token"] = s.Conversation, string(s.Session), s.Token
	pacing := s.pacing()
	for {
		took, err := s.call(ctx, tool, args, data)
		wait, waits := pacing.Wait(err)
		switch {
		case errors.Is(err, errInterrupted):
			again = true
			s.note(func(l *ledger) { l.count(s.Conversation, string(s.Session), tool, true) })
		case waits:
			cut := pacing.cut(err)
			again = again || cut
			s.note(func(l *ledger) {
				l.paced++
				if cut {
					l.count(s.Conversation, string(s.Session), tool, true)
					// Messages taken by such a call are delivered again, as after a kill.
					s.inbox.Killed = s.inbox.Killed || tool == "check_messages"
				}
			})
			if err := sleep.For(ctx, wait); err != nil {
				return took, again, err
			}
		case err != nil:
			return took, again, err
		default:
			s.note(func(l *ledger) { l.count(s.Conversation, string(s.Session), tool, false) })
			return took, again, nil
		}
	}
}

// Pacing determines which refusals an agent waits for and repeats its call, as it is told
// to.
type Pacing struct {
	// Limits: the store's limits are enabled, so that a call may exceed one.
	Limits bool
	// Gateways: a gateway may be killed, so that a call may have no answer.
	Gateways bool
	// Server: the store is on a server, which may not answer in time.
	Server bool
	busy   int
}

func (r *run) pacing() Pacing {
	return Pacing{Limits: r.Limits, Gateways: r.Gateways > 0, Server: r.DSN != ""}
}

// maxBusyCalls is how often a store may be busy, or its server unavailable, for one call.
// Each of these calls has already waited for seconds, so a store that is busy for longer is
// considered stopped.
const maxBusyCalls = 10

// Wait returns how long to wait before the call is repeated, or false if it should not be
// repeated after err.
func (p *Pacing) Wait(err error) (time.Duration, bool) {
	refusal := new(rig.Refusal)
	if !errors.As(err, &refusal) {
		return 0, false
	}
	switch {
	case (p.away(refusal) || p.cut(err)) && p.busy < maxBusyCalls:
		p.busy++
	case refusal.Code == "rate_limited" && p.Limits:
		p.busy = 0
	default:
		return 0, false
	}
	return max(refusal.RetryAfter, time.Second), true
}

// away reports whether the store was unavailable, so that nothing was done.
func (p *Pacing) away(refusal *rig.Refusal) bool {
	return refusal.Code == "store_busy" || p.Server && refusal.Code == "store_unreachable"
}

// cut reports whether the machine's gateway, or the store's server, gave no answer, so that
// the call may have had an effect.
func (p *Pacing) cut(err error) bool {
	refusal := new(rig.Refusal)
	if !errors.As(err, &refusal) {
		return false
	}
	return p.Gateways && refusal.Code == "gateway_away" || (p.Gateways || p.Server) && refusal.Code == "outcome_unknown"
}

// sendAll sends all messages of this session.
func (s *session) sendAll(ctx context.Context) error {
	if due := s.due(); due > 0 {
		return s.sendOnTime(ctx, due)
	}
	for n := s.number; ; n += s.Settings.sessions() {
		over := s.Duration > 0 && time.Since(s.begin) >= s.Duration
		if over || s.Messages > 0 && n >= s.Messages {
			return nil
		}
		if err := s.sendOne(ctx, n, time.Time{}); err != nil {
			return err
		}
	}
}

// sendOnTime sends this session's share of the messages when they are due, or as soon as
// the previous one was answered if that is later.
func (s *session) sendOnTime(ctx context.Context, count int) error {
	for n := s.number; n < count; n += s.Settings.sessions() {
		due := s.begin.Add(s.at(n, count))
		if err := sleep.For(ctx, time.Until(due)); err != nil {
			return err
		}
		begin := time.Time{}
		if s.Rate > 0 {
			begin = due
		}
		if err := s.sendOne(ctx, n, begin); err != nil {
			return err
		}
	}
	return nil
}

// sendOne sends message n. If begin is given, the duration is measured from then, so that
// waiting for a slow previous answer counts, too.
func (s *session) sendOne(ctx context.Context, n int, begin time.Time) error {
	first := begin
	if first.IsZero() {
		first = time.Now()
	}
	letter := s.write(n, first)
	var sent sentAnswer
	took, again, err := s.ask(ctx, "send_to_partner", letter.arguments(strconv.Itoa(n)), &sent)
	if err != nil {
		return err
	}
	if !begin.IsZero() {
		took = time.Since(begin)
	}
	s.note(func(l *ledger) {
		if begin.IsZero() && !again {
			first = time.Now().Add(-took) // not counting the waits for a limit
		}
		l.acknowledge(letter, sent, first)
		l.sent++
		l.sends[s.number] = append(l.sends[s.number], took)
		if sent.Repeated {
			l.repeated++
		}
	})
	if sent.Repeated && !again && s.Gateways == 0 { // a machine that only connects repeats calls by itself
		return fmt.Errorf("the first call with an idempotency key was answered as a repeated one, in %s", s.inbox.Name)
	}
	return nil
}

// giveUpAfter is how long sessions wait for acknowledged messages that do not arrive:
// several times longer than the claim of a killed process lasts.
const giveUpAfter = 20 * time.Second

// readAll reads this session's messages: at given times, or continuously. Once everything
// was sent it continues until all messages are read, or nothing has arrived for
// giveUpAfter.
func (s *session) readAll(ctx context.Context) error {
	defer close(s.given)
	if s.Reads > 0 {
		if err := s.readOnTime(ctx); err != nil {
			return err
		}
		select { // these were all the requested reads
		case <-ctx.Done():
			return ctx.Err()
		case <-s.sending:
		}
	}
	last := time.Now()
	for {
		draining := isClosed(s.sending)
		wait := 2
		if draining {
			wait = 1
		} else {
			last = time.Now()
		}
		got, unread, err := s.readOnce(ctx, wait)
		switch {
		case err != nil:
			return err
		case got > 0:
			last = time.Now()
		case draining && unread == 0 && (s.hasAll() || s.Kills == 0):
			return nil // without kills, no expired claim can return the missing messages
		case draining && time.Since(last) > giveUpAfter:
			return nil
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (s *session) readOnTime(ctx context.Context) error {
	for n := s.number; n < s.Reads; n += s.Settings.sessions() {
		if err := sleep.For(ctx, time.Until(s.begin.Add(s.Settings.spread(n, s.Reads)))); err != nil {
			return err
		}
		if _, _, err := s.readOnce(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// readOnce checks for messages once, and returns how many were delivered and how many are
// waiting.
func (s *session) readOnce(ctx context.Context, wait int) (got int, unread int64, err error) {
	var data struct {
		Messages []struct {
			Seq         int64  `json:"seq"`
			From        string `json:"from"`
			Text        string `json:"message"`
			Redelivered bool   `json:"redelivered"`
		} `json:"messages"`
		Unread int64 `json:"unread"`
	}
	args := map[string]any{"limit": 100}
	if wait > 0 {
		args["wait_seconds"] = wait
	}
	took, _, err := s.ask(ctx, "check_messages", args, &data)
	if err != nil {
		return 0, 0, err
	}
	now := time.Now()
	var tasks []int64
	s.note(func(l *ledger) {
		l.reads++
		if wait == 0 {
			l.checks = append(l.checks, took)
		}
		l.received += int64(len(data.Messages))
		for _, m := range data.Messages {
			s.inbox.Received = append(s.inbox.Received, Receipt{Seq: m.Seq, From: m.From, Text: m.Text, Redelivered: m.Redelivered, At: now})
			// The first delivery of a redelivered message may have been interrupted by a
			// kill.
			if task, ok := givenTask(m.From, m.Text); ok && !s.told[task] {
				s.told[task] = true
				tasks = append(tasks, task)
			}
		}
	})
	for _, task := range tasks {
		s.given <- task
	}
	return len(data.Messages), data.Unread, nil
}

var taskNotice = lazyregexp.New(`^You were given task ([0-9]+)\n`)

// givenTask returns the task that a message of the bridge assigns.
func givenTask(from, text string) (int64, bool) {
	m := taskNotice().FindStringSubmatch(text)
	if from != bridge.System || m == nil {
		return 0, false
	}
	task, err := strconv.ParseInt(m[1], 10, 64)
	return task, err == nil
}

// hasAll reports whether all acknowledged messages have been read.
func (s *session) hasAll() (all bool) {
	s.note(func(*ledger) {
		read := map[string]bool{}
		for _, r := range s.inbox.Received {
			read[r.Text] = true
		}
		all = true
		for _, m := range s.inbox.Sent {
			all = all && (m.Seq == 0 || read[m.Text])
		}
	})
	return all
}

// texts generates messages from a seed.
type texts struct {
	stream uint64
	random *rand.Rand
}

func newTexts(seed, stream uint64) *texts {
	return &texts{stream, rand.New(rand.NewPCG(seed, stream))} //nolint:gosec // what is sent is no secret
}

var words = strings.Fields("the build is green please review which fields does users return " +
	"done with parser tests next lexer blocked on schema of orders see file for details")

// message returns message n of a run: 5 to 60 words after a unique number.
func (t *texts) message(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "message %d of session %d:", n, t.stream)
	for range 5 + t.random.IntN(56) {
		b.WriteByte(' ')
		b.WriteString(words[t.random.IntN(len(words))])
	}
	return b.String()
}
