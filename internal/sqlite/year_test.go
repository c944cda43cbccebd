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
	// monthly is the interval, in days, at which the audit log is archived, and
	// archivedAge the age in days from which entries are archived. So the log never
	// holds more than the entries of both plus one day.
	monthly, archivedAge = 30, 90
	// standingMessage is the size in bytes by which the store grows for each message of
	// the conversation that stays open: the sealed text of 400 bytes, and its rows and
	// indexes. About 700 bytes were measured.
	standingMessage = 768
)

// TestYear simulates ten agents that work for a year. Each two of them begin a new
// conversation each day, and one pair keeps a conversation open all year. Each night a
// cleanup runs with the store's retention settings, and every 30 days the entries older
// than 90 days are archived. The test prints the size of the store and the time that
// operator commands take, and checks that neither the store nor its log grows after the
// first archives have been made.
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
	standing bridgetest.Pair // the pair that keeps its conversation all year
	last     string          // the newest conversation
	sent     int
	cleanup  time.Duration
	// archives are the archive files, and archived is their total size in bytes.
	archives []string
	archived int64
	// sizes are the sizes of the store in bytes at the end of each day, before an
	// archive is made.
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

// work simulates the day of a pair that sends in turns and reads what it gets. For each
// ten messages it logs a step and changes a shared file.
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

// goOn simulates the day of the pair whose conversation continues: a message, a step
// and a change.
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

// bounded checks that, after everything kept had first reached the age at which it is
// removed, the store was never more than 2 % larger than before, not counting the
// messages of the conversation that stays open, which are all kept.
func (y *year) bounded(t *testing.T) {
	t.Helper()
	if !*yearArchive {
		return
	}
	const full = monthly + archivedAge + monthly
	first, later := largest(y.sizes[:full]), largest(y.sizes[full:])
	t.Logf("at most %.1f MiB up to day %d, at most %.1f MiB from then on", mebibytes(first), full, mebibytes(later))
	standing := int64(len(y.sizes)-full) * standingMessage
	if allowed := first + first/50 + standing; later > allowed {
		t.Errorf("the store grows: at most %d bytes up to day %d, and then %d; %d are allowed", first, full, later, allowed)
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
