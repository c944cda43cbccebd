//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
)

// claimChild claims a path and prints whether it got it.
func claimChild(args []string) error {
	s, store, err := openChild(args[0], nil)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	awaitBegin()
	_, err = claims.New(s, store).Take(context.Background(), credentials(args[1:]), claims.Request{Paths: []string{"src/**"}, Seconds: claims.MaxSeconds})
	switch {
	case err == nil:
		fmt.Println("held")
	case errors.Is(err, claims.ErrHeld):
		fmt.Println("refused")
	default:
		return err
	}
	return store.Close()
}

// TestFiftyProcessesOneHolder starts fifty processes, each for an agent of one team,
// that claim one path at the same time. Exactly one agent must get it.
func TestFiftyProcessesOneHolder(t *testing.T) {
	t.Parallel()
	const processes = 50
	e := bridgetest.NewEnv(t)
	service, store, err := openChild(e.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	agents := bridgetest.NewRoom(t, service, 26)
	all := make([]*child, processes)
	for i := range all { // most agents have two processes, which count as one agent
		all[i] = start(t, "claim", arguments(e, agents[i%len(agents)])...)
	}
	for _, c := range all {
		if line := c.line(t); line != "ready" {
			t.Fatal(line)
		}
	}
	for _, c := range all {
		c.begin(t)
	}
	holders := map[bridge.SessionID]bool{}
	for i, c := range all {
		switch line := c.lines(t)[0]; line {
		case "held":
			holders[agents[i%len(agents)].Session] = true
		case "refused":
		default:
			t.Errorf("process %d says %q", i, line)
		}
	}
	if len(holders) != 1 {
		t.Errorf("the path has %d holders: %v", len(holders), holders)
	}
	held, _, err := claims.New(service, store).Held(t.Context())
	if err != nil || len(held) != 1 || !holders[held[0].Session] {
		t.Errorf("the store has %v, %v", held, err)
	}
}
