package sqlite_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/steps"
)

var (
	yearMessages = flag.Int("sqlite.year", 0, "how many messages each of ten agents sends a day in TestYear; 0 leaves it out")
	yearArchive  = flag.Bool("sqlite.year-archive", true, "archive the audit log every 30 days in TestYear")
)

const (
	day = 24 * time.Hour
	// monthly is how often, in days, the audit log is archived, and archivedAge how many days
	// its entries stay. So the log holds at most both together and a day.
	monthly, archivedAge = 30, 90
)

// TestYear lets ten agents work for a year of the clock, in a new conversation for each
// two each day and in one that all the year keeps open. Each night an operator's timers
// clean up by the store's retention settings, and every 30 days they archive what is
// older than 90. It prints how large the store is and how long the operator's commands
// take, and holds that neither the store nor its log grows when the first archives are
// made.
func TestYear(t *testing.T) {
	t.Parallel()
	if *yearMessages == 0 {
		t.Skip("MISSING: -sqlite.year, which make year gives")
	}
	e := bridgetest.NewEnv(t)
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Volatile: true})
	yes(t, err)
	y := newYear(t, e, store)
	for today := 1; today <= 365; today++ {
		for range 5 {
			y.work(t)
		}
		y.goOn(t, today)
		e.Clock.Advance(day)
		began := time.Now()
		y.cleanUp(t)
		y.cleanup = time.Since(began)
		y.note(t, today)
		if *yearArchive && today%monthly == 0 {
			y.archive(t, today)
		}
		if today%73 == 0 || today == 30 {
			y.measure(t, today)
		}
	}
	y.bounded(t)
	yes(t, store.Close())
}

func yes(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type year struct {
	env      *bridgetest.Env
	service  *bridge.Service
	files    *files.Service
	steps    *steps.Service
	old      *archive.Archives
	standing bridgetest.Pair // keeps its conversation all the year
	last     string          // the newest conversation
	sent     int
	cleanup  time.Duration
	// archives are the files, and archived the bytes in them.
	archives []string
	archived int64
	// sizes are those of the store, in bytes, at the end of each day, before an archive.
	sizes []int64
}

func newYear(t *testing.T, e *bridgetest.Env, store *sqlite.Store) *year {
	t.Helper()
	s := e.Service(t, func(c *bridge.Config) { c.Store = store })
	y := &year{env: e, service: s, files: files.New(s, store), steps: steps.New(s, store), old: archive.New(store, e.Key)}
	_, err := s.SetRetention(t.Context(), map[bridge.Retained]time.Duration{
		bridge.RetainConversations: 30 * day, bridge.RetainFileVersions: 30 * day, bridge.RetainSteps: 14 * day, bridge.RetainKeys: 7 * day,
	})
	yes(t, err)
	y.standing = bridgetest.NewPair(t, s)
	return y
}

// yearText is a message of 400 bytes.
var yearText = strings.Repeat("the tests of the parser pass, the next file is lexer.go\n", 8)[:400]

// work is the day of two agents, who send in turns and read what they get, log a step for
// each ten messages and share a file that they change as often.
func (y *year) work(t *testing.T) {
	p := bridgetest.NewPair(t, y.service)
	y.last = p.A.Conversation
	for i := range *yearMessages {
		for _, from := range []struct{ sender, reader bridge.Credentials }{{p.A, p.B}, {p.B, p.A}} {
			y.message(t, from.sender, from.reader)
			y.env.Clock.Advance(10 * time.Second)
		}
		if i%10 == 0 {
			y.step(t, p, i/10)
		}
	}
	y.env.Clock.Advance(-time.Duration(2**yearMessages) * 10 * time.Second) // the others work at the same time
}

func (y *year) message(t *testing.T, sender, reader bridge.Credentials) {
	t.Helper()
	_, err := y.service.Send(t.Context(), sender, bridge.SendRequest{Text: yearText, IdempotencyKey: fmt.Sprint("message ", y.sent)})
	yes(t, err)
	d, err := y.service.Check(t.Context(), reader, bridge.CheckRequest{}, nil)
	yes(t, err)
	yes(t, y.service.Confirm(t.Context(), d.Claim))
	y.sent++
}

// step logs one step and writes one version of a file.
func (y *year) step(t *testing.T, p bridgetest.Pair, version int) {
	t.Helper()
	_, err := y.steps.LogStep(t.Context(), p.A, steps.LogRequest{Text: fmt.Sprintf("step %d: the next file is lexer.go", version)})
	yes(t, err)
	_, err = y.files.WriteFile(t.Context(), p.A, files.WriteRequest{
		Name: files.Name{Path: "notes.md"}, Version: int64(version), Text: fmt.Sprintf("version %d\n%s", version, strings.Repeat(yearText, 10)),
	})
	yes(t, err)
}

// goOn is the day of the two whose conversation goes on: a message, a step and a change.
func (y *year) goOn(t *testing.T, today int) {
	t.Helper()
	_, err := y.service.ExtendByOperator(t.Context(), y.standing.A.Conversation, 2*day)
	yes(t, err)
	y.message(t, y.standing.A, y.standing.B)
	y.step(t, y.standing, today-1)
}

// cleanUp does what the nightly "bridge cleanup" does.
func (y *year) cleanUp(t *testing.T) {
	t.Helper()
	_, err := y.service.Cleanup(t.Context(), 30*day, false)
	yes(t, err)
	_, err = y.service.ForgetOld(t.Context(), false)
	yes(t, err)
	yes(t, y.service.Compact(t.Context()))
}

// archive does what "bridge audit archive FILE --before 90d" does.
func (y *year) archive(t *testing.T, today int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), fmt.Sprintf("audit-day-%03d", today))
	op := y.service.OperatorOperation("archive_audit", "")
	made, err := y.old.Make(t.Context(), op, path, op.Now.Add(-archivedAge*day))
	if today <= archivedAge && errors.Is(err, archive.ErrNothing) {
		return
	}
	yes(t, err)
	yes(t, y.service.Compact(t.Context()))
	y.archives, y.archived = append(y.archives, path), y.archived+made.Bytes
}

func (y *year) note(t *testing.T, today int) {
	t.Helper()
	info, err := os.Stat(y.env.Path)
	yes(t, err)
	if y.sizes = append(y.sizes, info.Size()); len(y.sizes) != today {
		t.Fatalf("day %d is noted as the %d.", today, len(y.sizes))
	}
}

// measure prints a row of the table in docs/operations.md.
func (y *year) measure(t *testing.T, today int) {
	t.Helper()
	info, err := os.Stat(y.env.Path)
	yes(t, err)
	var kept int
	list := timed(t, func() error {
		all, err := y.service.Conversations(t.Context())
		kept = len(all)
		return err
	})
	show := timed(t, func() error { _, err := y.service.Messages(t.Context(), y.last, 0, 1000); return err })
	var alone, through archive.Report
	verify := timed(t, func() error { alone, err = y.old.Verify(t.Context(), audit.Head{}, nil); return err })
	whole := timed(t, func() error { through, err = y.old.Verify(t.Context(), audit.Head{}, y.archives); return err })
	if alone.Head.String() != through.Head.String() {
		t.Errorf("day %d: the log ends at %v, and through its archives at %v", today, alone.Head, through.Head)
	}
	held := alone.Head.Seq - alone.Base.Seq
	t.Logf("day %d: %d messages sent, %d conversations kept, %d of %d entries in the log, %.1f MiB, %d archives of %.1f MiB; list %v, show %v, verify %v, through the archives %v, cleanup %v",
		today, y.sent, kept, held, alone.Head.Seq, mebibytes(info.Size()), len(y.archives), mebibytes(y.archived), list, show, verify, whole, y.cleanup.Round(time.Millisecond))
	if kept > 5*32+1 {
		t.Errorf("%d conversations are kept: cleanup does not hold them", kept)
	}
	if perDay := alone.Head.Seq / int64(today); *yearArchive && held > (monthly+archivedAge+2)*perDay {
		t.Errorf("%d entries are in the log, %d a day: archives do not hold them", held, perDay)
	}
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// bounded holds that the store was never larger than it was when each kind of what it
// keeps had reached the age at which it goes, but for a twentieth.
func (y *year) bounded(t *testing.T) {
	t.Helper()
	if !*yearArchive {
		return
	}
	const full = monthly + archivedAge + monthly
	first, later := largest(y.sizes[:full]), largest(y.sizes[full:])
	t.Logf("at most %.1f MiB up to day %d, at most %.1f MiB from then on", mebibytes(first), full, mebibytes(later))
	if later > first+first/20 {
		t.Errorf("the store grows: at most %d bytes up to day %d, and then %d", first, full, later)
	}
}

func largest(sizes []int64) (most int64) {
	for _, size := range sizes {
		most = max(most, size)
	}
	return most
}

func timed(t *testing.T, fn func() error) time.Duration {
	t.Helper()
	began := time.Now()
	yes(t, fn())
	return time.Since(began).Round(100 * time.Microsecond)
}
