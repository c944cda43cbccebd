package bridge_test

import (
	"bytes"
	"errors"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/ratelimit"
)

// TestDefaultLimits checks how much a session may change under the default
// limits.
func TestDefaultLimits(t *testing.T) {
	want := ratelimit.Limit{PerMinute: 10, PerHour: 100, PerDay: 500}
	if got := bridge.DefaultLimits().Writes; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestKeyCheck checks that a mark fits only one key and one store.
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

// TestMovedVersion checks that the version of a moved store differs from all other
// versions, including those of damaged stores.
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
