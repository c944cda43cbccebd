package bridge_test

import (
	"bytes"
	"errors"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/ratelimit"
)

// TestDefaultLimits: what a session may change when nobody says otherwise.
func TestDefaultLimits(t *testing.T) {
	want := ratelimit.Limit{PerMinute: 10, PerHour: 100, PerDay: 500}
	if got := bridge.DefaultLimits().Writes; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestKeyCheck: a mark fits one key and one store.
func TestKeyCheck(t *testing.T) {
	key, other := bridgetest.NewEnv(t).Key, bridgetest.NewEnv(t).Key
	mark := bridge.KeyCheck(key, []byte("store"))
	if !bytes.Equal(mark, bridge.KeyCheck(key, []byte("store"))) {
		t.Error("the mark of one store differs from itself")
	}
	if bytes.Equal(mark, bridge.KeyCheck(key, []byte("other"))) {
		t.Error("two stores have the same mark")
	}
	if bytes.Equal(mark, bridge.KeyCheck(other, []byte("store"))) {
		t.Error("two keys give the same mark")
	}
}

// TestMovedVersion: a moved store has a version that is told from all others, those of
// damaged stores too.
func TestMovedVersion(t *testing.T) {
	for _, version := range []int64{1, 15, 999} {
		moved := bridge.MovedVersion(version)
		if moved <= 1000 {
			t.Errorf("version %d is %d when moved: programs may take it for one of theirs", version, moved)
		}
		if before, ok := bridge.UnmovedVersion(moved); !ok || before != version {
			t.Errorf("version %d comes back as %d, %t", version, before, ok)
		}
		if err := bridge.CheckMoved("x.db", moved); !errors.Is(err, bridge.ErrStoreMoved) {
			t.Errorf("got %v", err)
		}
		if err := bridge.CheckMoved("x.db", version); err != nil {
			t.Error(err)
		}
	}
}
