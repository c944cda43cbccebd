package sqlite_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

var yearMessages = flag.Int("sqlite.year", 0, "how many messages each of ten agents sends a day in TestYear; 0 leaves it out")

// TestYear lets ten agents work for a year of the clock, in a new conversation for each
// two each day, with a cleanup of what ended 30 days ago each night. It prints how large
// the store is and how long the operator's commands take as it grows.
func TestYear(t *testing.T) {
	if *yearMessages == 0 {
		t.Skip("MISSING: -sqlite.year, which make year gives")
	}
	e := bridgetest.NewEnv(t)
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	y := &year{env: e, service: e.Service(t, func(c *bridge.Config) { c.Store = store })}
	for day := 1; day <= 365; day++ {
		for range 5 {
			y.work(t)
		}
		e.Clock.Advance(24 * time.Hour)
		began := time.Now()
		if _, err := y.service.Cleanup(t.Context(), 30*24*time.Hour, false); err != nil {
			t.Fatal(err)
		}
		if err := y.service.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		y.cleanup = time.Since(began)
		if day%73 == 0 || day == 30 {
			y.measure(t, day)
		}
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

type year struct {
	env     *bridgetest.Env
	service *bridge.Service
	last    string // the newest conversation
	sent    int
	cleanup time.Duration
}

// yearText is a message of 400 bytes.
var yearText = strings.Repeat("the tests of the parser pass, the next file is lexer.go\n", 8)[:400]

// work is the day of two agents, who send in turns and read what they get.
func (y *year) work(t *testing.T) {
	p := bridgetest.NewPair(t, y.service)
	y.last = p.A.Conversation
	for range *yearMessages {
		for _, from := range []struct{ sender, reader bridge.Credentials }{{p.A, p.B}, {p.B, p.A}} {
			if _, err := y.service.Send(t.Context(), from.sender, bridge.SendRequest{Text: yearText}); err != nil {
				t.Fatal(err)
			}
			d, err := y.service.Check(t.Context(), from.reader, bridge.CheckRequest{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := y.service.Confirm(t.Context(), d.Claim); err != nil {
				t.Fatal(err)
			}
			y.sent++
			y.env.Clock.Advance(10 * time.Second)
		}
	}
	y.env.Clock.Advance(-time.Duration(2**yearMessages) * 10 * time.Second) // the others work at the same time
}

// measure prints a row of the table in docs/operations.md.
func (y *year) measure(t *testing.T, day int) {
	t.Helper()
	info, err := os.Stat(y.env.Path)
	if err != nil {
		t.Fatal(err)
	}
	var kept int
	list := timed(t, func() error {
		all, err := y.service.Conversations(t.Context())
		kept = len(all)
		return err
	})
	show := timed(t, func() error { _, err := y.service.Messages(t.Context(), y.last, 0, 1000); return err })
	var head audit.Head
	verify := timed(t, func() error { head, err = y.service.VerifyAudit(t.Context(), audit.Head{}); return err })
	t.Logf("day %d: %d messages sent, %d conversations kept, %d entries of the log, %.1f MiB; list %v, show %v, verify %v, cleanup %v",
		day, y.sent, kept, head.Seq, float64(info.Size())/(1<<20), list, show, verify, y.cleanup.Round(time.Millisecond))
	if kept > 5*32 {
		t.Errorf("%d conversations are kept: cleanup does not hold them", kept)
	}
}

func timed(t *testing.T, fn func() error) time.Duration {
	t.Helper()
	began := time.Now()
	if err := fn(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began).Round(100 * time.Microsecond)
}
