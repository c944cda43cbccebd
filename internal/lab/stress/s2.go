package stress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// The S2 protocol is the hardening test of the Python bridge that this program replaces: an
// orchestrator and eight workers for 90 minutes. Its documents name tests 9 to 13 and only
// number the others, so tests 1 to 8 are named here after the claims of those documents.
// Compress divides every length of time: the interval of heartbeats, the interval of the
// watchdog's checks, and the length of a silence.
const s2Workers = 8

// MaxCompressS2 keeps the intervals of the S2 protocol above 100 ms.
const MaxCompressS2 = 300

// Test is a test of a protocol.
type Test struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	// What was measured, or what failed.
	What string `json:"what"`
}

// s2 is a run of the protocol.
type s2 struct {
	Options
	place        *stage
	orchestrator *rig.Agent
	workers      []*worker
	// Measured by one test and judged by another.
	recovery recovery
}

// worker is a worker of the protocol, with the orchestrator's side of their conversation.
type worker struct {
	place     *rig.Place // its machine
	agent     *rig.Agent
	a, b      bridge.Credentials
	keepalive *beats
}

// Times of the protocol before they are divided.
const (
	s2Beat   = 30 * time.Second
	s2Silent = 300 * time.Second
	s2Look   = 60 * time.Second
	s2Keep   = 30 * time.Minute
	// Targets from the reports of the Python bridge. The targets for push and reassigning
	// are not divided, because those durations do not scale.
	s2Reassign = 45 * time.Second
	s2Push     = 50 * time.Millisecond
	// s2Slack is added to divided times for starting and scheduling processes.
	s2Slack = 3 * time.Second
)

func (s *s2) divided(d time.Duration) time.Duration {
	return time.Duration(float64(d) / max(s.Compress, 1))
}

// s2Test is one test of the protocol. It returns a description of what it measured.
type s2Test struct {
	number int
	name   string
	do     func(context.Context, *s2) (string, error)
}

// s2Tests are in the order in which they run: each uses the results of earlier ones. Tests
// 9 and 12 observe the silence of the same worker.
var s2Tests = []s2Test{
	{1, "Conversations: eight workers join their orchestrator", s2Join},
	{2, "Exchange: a question to each worker, and its answer", s2Exchange},
	{3, "Order: each message once, in order", s2Order},
	{4, "Status: what workers do, and that they are alive", s2Status},
	{5, "Authentication: wrong, swapped and foreign tokens", s2Authentication},
	{6, "Redaction: a secret reaches neither partner nor store", s2Redaction},
	{7, "Rate limits: one flooding session, without effect on others", s2RateLimits},
	{8, "Audit trail and integrity", s2Audit},
	{10, "Credential distribution", s2Credentials},
	{13, "Push notifications", s2PushTest},
	{11, "Keep-alive daemon reliability", s2KeepAlive},
	{9, "Idle session recovery", s2Recovery},
	{12, "External watchdog monitoring", s2Watchdog},
}

// runS2 runs the protocol. A failed test does not end it, unless the others depend on it.
func runS2(ctx context.Context, o Options) (_ Report, err error) {
	if !rig.EndsDaemons() {
		return Report{}, errors.New("the S2 protocol ends processes by a signal, which this system does not have")
	}
	if o.Compress > MaxCompressS2 {
		return Report{}, fmt.Errorf("the S2 protocol can be compressed by at most %d", MaxCompressS2)
	}
	s := &s2{Options: o}
	if s.place, err = newStage(ctx, o); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, s.end(), s.place.close()) }()
	report := Report{Format: Format, At: time.Now().UTC(), Settings: o.Settings, Machine: s.place.describe(ctx, o.Version)}
	for _, test := range s2Tests {
		o.Log.Info("testing", "number", test.number, "name", test.name)
		what, failure := test.do(ctx, s)
		if ctx.Err() != nil {
			return Report{}, ctx.Err()
		}
		if failure != nil {
			what = failure.Error()
		}
		report.Tests = append(report.Tests, Test{test.number, test.name, failure == nil, what})
		if failure != nil && test.number == 1 {
			break
		}
	}
	slices.SortFunc(report.Tests, func(a, b Test) int { return a.Number - b.Number })
	report.Seconds = time.Since(report.At).Seconds()
	report.Counts = Counts{Agents: 1 + len(s.workers), Conversations: len(s.workers)}
	e, err := gather(ctx, s.place.Place)
	if err != nil {
		return Report{}, err
	}
	report.Counts.AuditEntries = e.entries
	report.Violations = append([]Violation{}, e.violations()...)
	return report, nil
}

// end ends all processes.
func (s *s2) end() error {
	agents := []*rig.Agent{s.orchestrator}
	var errs []error
	for _, w := range s.workers {
		agents = append(agents, w.agent)
		if w.keepalive != nil {
			_, err := w.keepalive.daemon.Kill()
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, rig.CloseAll(agents...))...)
}

// withCredentials adds credentials to the arguments of a call.
func withCredentials(c bridge.Credentials, args map[string]any) map[string]any {
	args["conversation_id"], args["session_id"], args["token"] = c.Conversation, string(c.Session), c.Token
	return args
}

// start starts an agent, on a separate machine if there are gateways.
func (s *s2) start(ctx context.Context) (*rig.Place, *rig.Agent, error) {
	place, _, err := s.place.machine(ctx)
	if err != nil {
		return nil, nil, err
	}
	agent, err := place.Connect(ctx, bridge.Credentials{})
	return place, agent, err
}

// created is a conversation as its creator knows it.
type created struct {
	Conversation string `json:"conversation_id"`
	A            string `json:"session_a_token"`
	B            string `json:"session_b_token"`
	Code         string `json:"join_code"`
}

func (s *s2) create(ctx context.Context, role string) (c created, err error) {
	_, err = s.orchestrator.Call(ctx, "create_conversation", map[string]any{
		"my_role": "orchestrator", "partner_role": role, "team": "s2",
	}, &c)
	return c, err
}

// check reads a session's messages.
func check(ctx context.Context, agent *rig.Agent, c bridge.Credentials, wait time.Duration) (texts []string, err error) {
	var data struct {
		Messages []struct {
			From string `json:"from"`
			Text string `json:"message"`
		} `json:"messages"`
	}
	args := withCredentials(c, map[string]any{"limit": 100})
	if wait > 0 {
		args["wait_seconds"] = int(wait.Seconds())
	}
	_, err = agent.Call(ctx, "check_messages", args, &data)
	for _, m := range data.Messages {
		texts = append(texts, m.Text)
	}
	return texts, err
}

// send sends a message.
func send(ctx context.Context, agent *rig.Agent, c bridge.Credentials, text string) error {
	var sent struct {
		Seq int64 `json:"seq"`
	}
	_, err := agent.Call(ctx, "send_to_partner", withCredentials(c, map[string]any{"message": text}), &sent)
	if err == nil && sent.Seq == 0 {
		err = errors.New("a message got no number")
	}
	return err
}
