package bridge_test

import (
	"context"
	"fmt"
	"testing"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	env := bridgetest.NewEnv(t)
	s, s2 := env.Service(t), env.Service(t)
	p := bridgetest.NewPair(t, s)
	for i := range 30 {
		sent, err := s.Send(ctx, p.A, bridge.SendRequest{Text: fmt.Sprint("hello ", i)})
		if err != nil {
			t.Fatal(err)
		}
		if sent.Seq != int64(i+1) {
			t.Fatal(sent)
		}
	}
	d, err := s2.Check(ctx, p.B, bridge.CheckRequest{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Messages) != 20 || !d.HasMore || d.Unread != 10 {
		t.Fatalf("%+v", d)
	}
	if err := s2.Confirm(ctx, d.Claim); err != nil {
		t.Fatal(err)
	}
	h, err := s.VerifyAudit(ctx, audit.Head{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(h)
	_, err = s.Send(ctx, bridge.Credentials{Conversation: p.A.Conversation, Session: "b", Token: p.A.Token}, bridge.SendRequest{Text: "x"})
	t.Log(err)
	all, err := s.Conversations(ctx)
	t.Logf("%+v %v", all, err)
	hist, err := s.History(ctx, p.B, 0, 3)
	t.Logf("%+v %v", hist, err)
}

func BenchmarkSend(b *testing.B) {
	ctx := context.Background()
	s := bridgetest.New(b)
	p := bridgetest.NewPair(b, s)
	for b.Loop() {
		if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "hello"}); err != nil {
			b.Fatal(err)
		}
	}
}
