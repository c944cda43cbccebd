package stress

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// wrong returns err or, if it is nil, an error that describes what was wrong with the
// answer.
func wrong(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf(format, args...)
}

// s2Join starts nine processes, creates eight conversations, and lets the workers join by
// code.
func s2Join(ctx context.Context, s *s2) (string, error) {
	begin := time.Now()
	var err error
	if _, s.orchestrator, err = s.start(ctx); err != nil {
		return "", err
	}
	for i := range s2Workers {
		c, err := s.create(ctx, fmt.Sprintf("worker %d", i+1))
		if err != nil {
			return "", err
		}
		place, agent, err := s.start(ctx)
		if err != nil {
			return "", err
		}
		w := &worker{place: place, agent: agent, a: bridge.Credentials{Conversation: c.Conversation, Session: bridge.SessionA, Token: c.A}}
		s.workers = append(s.workers, w)
		if w.b, err = join(ctx, agent, c.Code); err != nil {
			return "", err
		}
		if w.b.Conversation != c.Conversation || w.b.Token != c.B {
			return "", errors.New("a join code led to another session")
		}
	}
	return fmt.Sprintf("9 processes, 8 conversations in %s", time.Since(begin).Round(time.Millisecond)), nil
}

func join(ctx context.Context, agent *rig.Agent, code string) (bridge.Credentials, error) {
	var joined struct {
		Conversation string `json:"conversation_id"`
		Session      string `json:"session_id"`
		Token        string `json:"token"`
	}
	_, err := agent.Call(ctx, "join_conversation", map[string]any{"join_code": code}, &joined)
	return bridge.Credentials{Conversation: joined.Conversation, Session: bridge.SessionID(joined.Session), Token: joined.Token}, err
}

// s2Exchange sends a question to each waiting worker, and an answer back.
func s2Exchange(ctx context.Context, s *s2) (string, error) {
	var taken []float64
	for i, w := range s.workers {
		question, answer := fmt.Sprintf("question %d", i), fmt.Sprintf("answer %d", i)
		got := make(chan error, 1)
		go func() {
			texts, err := check(ctx, w.agent, w.b, 30*time.Second)
			if err == nil && !slices.Equal(texts, []string{question}) {
				err = fmt.Errorf("worker %d got %q", i+1, texts)
			}
			got <- err
		}()
		begin := time.Now()
		if err := send(ctx, s.orchestrator, w.a, question); err != nil {
			return "", errors.Join(err, <-got)
		}
		if err := <-got; err != nil {
			return "", err
		}
		taken = append(taken, rig.Milliseconds(time.Since(begin)))
		if err := send(ctx, w.agent, w.b, answer); err != nil {
			return "", err
		}
		if texts, err := check(ctx, s.orchestrator, w.a, 0); err != nil || !slices.Equal(texts, []string{answer}) {
			return "", wrong(err, "the orchestrator got %q from worker %d", texts, i+1)
		}
	}
	spread := rig.SpreadOf(taken)
	return fmt.Sprintf("16 of 16 delivered; a question took %.1f ms (median), at most %.1f", spread.P50, spread.Max), nil
}

// s2Order sends several messages, and reads them twice.
func s2Order(ctx context.Context, s *s2) (string, error) {
	w := s.workers[0]
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("step %d", i))
		if err := send(ctx, s.orchestrator, w.a, want[i]); err != nil {
			return "", err
		}
	}
	got, err := check(ctx, w.agent, w.b, 0)
	if err != nil || !slices.Equal(got, want) {
		return "", wrong(err, "got %q, want %q", got, want)
	}
	if again, err := check(ctx, w.agent, w.b, 0); err != nil || len(again) > 0 {
		return "", wrong(err, "read messages were delivered again: %q", again)
	}
	return "5 of 5 in order, none again", nil
}

// s2Status sets the status of each worker and lets the orchestrator check it.
func s2Status(ctx context.Context, s *s2) (string, error) {
	for i, w := range s.workers {
		var data struct {
			Status string `json:"status"`
			Alive  bool   `json:"alive"`
		}
		if _, err := w.agent.Call(ctx, "update_my_status", withCredentials(w.b, map[string]any{"status": "working"}), &data); err != nil {
			return "", err
		}
		if _, err := s.orchestrator.Call(ctx, "check_partner_status", withCredentials(w.a, map[string]any{}), &data); err != nil {
			return "", err
		}
		if data.Status != "working" || !data.Alive {
			return "", fmt.Errorf("worker %d is reported as %q, alive: %t", i+1, data.Status, data.Alive)
		}
	}
	return "8 of 8 seen working and alive", nil
}

// s2Authentication tries to act for other sessions. Each attempt must get the same answer.
func s2Authentication(ctx context.Context, s *s2) (string, error) {
	one, two := s.workers[0], s.workers[1]
	tries := map[string]bridge.Credentials{
		"wrong token":          {Conversation: one.b.Conversation, Session: "b", Token: strings.Repeat("0", 64)},
		"partner's token":      {Conversation: one.b.Conversation, Session: "b", Token: one.a.Token},
		"foreign token":        {Conversation: one.b.Conversation, Session: "b", Token: two.b.Token},
		"unknown conversation": {Conversation: "conv_0000000000000000", Session: "b", Token: one.b.Token},
	}
	var said []string
	for name, c := range tries {
		err := send(ctx, two.agent, c, "let me in")
		refusal := new(rig.Refusal)
		if !errors.As(err, &refusal) || refusal.Code != "unauthorized" {
			return "", wrong(err, "%s", name)
		}
		said = append(said, refusal.Message)
	}
	slices.Sort(said)
	if len(slices.Compact(said)) != 1 {
		return "", errors.New("the refusals differ, and so reveal what exists")
	}
	if texts, err := check(ctx, s.orchestrator, one.a, 0); err != nil || len(texts) > 0 {
		return "", wrong(err, "something arrived: %q", texts)
	}
	return fmt.Sprintf("%d of %d attempts refused, with the same answer", len(tries), len(tries)), nil
}

// s2Redaction sends a secret, and searches for it in what the partner receives and in the
// files.
func s2Redaction(ctx context.Context, s *s2) (string, error) {
	w := s.workers[1]
	secret := "AKIA" + rand.Text()[:16]
	if err := send(ctx, w.agent, w.b, "deploy with "+secret); err != nil {
		return "", err
	}
	texts, err := check(ctx, s.orchestrator, w.a, 0)
	if err != nil || len(texts) != 1 || strings.Contains(texts[0], secret) || !strings.Contains(texts[0], "AWS_KEY_REDACTED") {
		return "", wrong(err, "the partner got %d messages with the secret in them, or without a mark", len(texts))
	}
	if found, err := s.stored(ctx, secret); err != nil || found {
		return "", wrong(err, "the secret is in the store")
	}
	return "1 of 1 redacted before it was stored", nil
}

// stored reports whether the store contains a text: in its files, or in the output of the
// operator's commands if it is on a server.
func (s *s2) stored(ctx context.Context, text string) (bool, error) {
	if s.place.onServer() {
		out, err := s.place.Command(ctx, "search", text, "--json").Output()
		return bytes.Contains(out, []byte("deploy with")), err
	}
	for _, file := range []string{s.place.DB, s.place.DB + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
		if bytes.Contains(content, []byte(text)) {
			return true, nil
		}
	}
	return false, nil
}

// s2RateLimits sends from one worker until it is rate limited.
func s2RateLimits(ctx context.Context, s *s2) (string, error) {
	const limit = 10 // per minute, by default
	flooder, other := s.workers[7], s.workers[6]
	accepted := 1 // the answer sent in test 2
	refusal := new(rig.Refusal)
	for ; ; accepted++ {
		err := send(ctx, flooder.agent, flooder.b, "flood")
		if errors.As(err, &refusal) {
			break
		}
		if err != nil || accepted > 2*limit {
			return "", wrong(err, "%d messages were accepted in a minute", accepted)
		}
	}
	if refusal.Code != "rate_limited" || refusal.RetryAfter <= 0 {
		return "", refusal
	}
	if err := send(ctx, other.agent, other.b, "not my flood"); err != nil {
		return "", fmt.Errorf("another worker: %w", err)
	}
	for _, w := range []*worker{flooder, other} {
		if _, err := check(ctx, s.orchestrator, w.a, 0); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("message %d refused for %s, other workers not", accepted+1, refusal.RetryAfter), nil
}

// s2Audit checks the log, which must contain the attempts of test 5.
func s2Audit(ctx context.Context, s *s2) (string, error) {
	e, err := gather(ctx, s.place.Place)
	if err != nil {
		return "", err
	}
	for _, v := range e.violations() {
		return "", errors.New(v.What)
	}
	log, err := s.readLog(ctx)
	if err != nil {
		return "", err
	}
	unauthorized := 0
	for _, entry := range log {
		if entry.Outcome == "unauthorized" {
			unauthorized++
		}
	}
	if unauthorized < 4 {
		return "", fmt.Errorf("%d of the 4 refused attempts are in the log", unauthorized)
	}
	return fmt.Sprintf("%d entries, chain and store ok", e.entries), nil
}

// s2Credentials gives a new worker its credentials through a join code, once.
func s2Credentials(ctx context.Context, s *s2) (string, error) {
	begin := time.Now()
	c, err := s.create(ctx, "late worker")
	if err != nil {
		return "", err
	}
	_, agent, err := s.start(ctx)
	if err != nil {
		return "", err
	}
	joined, err := join(ctx, agent, c.Code)
	took := time.Since(begin)
	if err == nil {
		_, err = check(ctx, agent, joined, 0)
	}
	if err := errors.Join(err, agent.Close()); err != nil {
		return "", err
	}
	refusal := new(rig.Refusal)
	if _, err := join(ctx, s.workers[0].agent, c.Code); !errors.As(err, &refusal) || refusal.Code != "join_code_used" {
		return "", wrong(err, "the code worked twice")
	}
	where := "on one machine"
	if len(s.place.gateways) > 0 {
		where = "on a machine that had to be connected first"
	}
	return fmt.Sprintf("%s from the creation to the worker's token, %s; the code works once", took.Round(time.Millisecond), where), nil
}
