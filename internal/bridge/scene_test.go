package bridge_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

// TestEffectiveLimits checks that, for each kind, a limit set for a conversation
// takes precedence over the store's, and that there is no limit if neither was set.
func TestEffectiveLimits(t *testing.T) {
	one, two := ratelimit.Limit{PerMinute: 1}, ratelimit.Limit{PerMinute: 2}
	got := bridge.EffectiveLimits([]bridge.SetLimit{
		{Kind: bridge.LimitWrites, Limit: one},
		{Kind: bridge.LimitReads, Limit: one},
		{Conversation: "conv_1", Kind: bridge.LimitWrites, Limit: two},
		{Kind: "of a later version", Limit: two},
	}, bridge.Usage{Messages: 3})
	want := bridge.Limits{Writes: two, Reads: one, Quota: bridge.Usage{Messages: 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCleanedUp(t *testing.T) {
	details := bridge.Details{}
	one := bridge.Overview{Sessions: bridge.Roster{{Received: 5, Unread: 2}, {Received: 2}}, Copies: 1}
	gone := bridge.CleanedUp([]bridge.Overview{one, one}, details)
	if diff := cmp.Diff(bridge.Usage{Conversations: 2, Messages: 12}, gone); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bridge.Details{"conversations": 2, "unread_messages": int64(4)}, details); diff != "" {
		t.Error(diff)
	}
}

func TestBehind(t *testing.T) {
	inbox := bridge.Inbox{LastSeq: 9, ReadSeq: 4}
	for after, want := range map[int64]int64{bridge.FromUnread: 4, 0: 0, 7: 7} {
		if got := inbox.Behind(after); got != want {
			t.Errorf("behind %d: got %d, want %d", after, got, want)
		}
	}
}
