//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/storetest"
)

func conversion() bridge.Operation {
	// Encrypt before the clock of any test starts, because an operation advances the
	// store's clock.
	return bridge.Operation{Now: time.Unix(1_600_000_000, 0), Actor: bridge.Operator, Action: "test", Details: bridge.Details{}}
}

// TestEncryptedStore runs the whole store contract on an encrypted store.
func TestEncryptedStore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED with -short: the same tests run on a store in clear")
	}
	storetest.Run(t, opener(func(t *testing.T, path string) {
		query(t, path, marked(atrest.On, sqlite.SchemaVersion()))
	}))
}

// marked returns the statement that records an encryption state in a store of the given
// schema version.
func marked(state atrest.State, version int) string {
	return fmt.Sprintf("PRAGMA user_version = %d", state.Mark(int64(version)))
}

// encrypted returns an encrypted store with one conversation in it.
func encrypted(t *testing.T) (e *bridgetest.Env, s bridgetest.Served, store *sqlite.Store, p bridgetest.Pair) {
	t.Helper()
	e = bridgetest.NewEnv(t)
	s, store = e.Served(t), e.Store(t)
	convert(t, store, true)
	return e, s, store, bridgetest.NewPair(t, s.Service)
}

// convert encrypts or decrypts a store and returns the number of rows changed.
func convert(t *testing.T, s *sqlite.Store, on bool) int64 {
	t.Helper()
	done, err := s.Convert(t.Context(), conversion(), on, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, want := atrest.Turning(on)
	if state, err := s.AtRest(t.Context()); err != nil || state != want {
		t.Fatalf("the encryption is %s, %v", state, err)
	}
	return done.Rows
}

// inFiles returns the words that occur in any file of a folder, in clear or in base64,
// each with the names of those files.
func inFiles(t *testing.T, dir string, words []string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) || bytes.Contains(content, []byte(base64.RawURLEncoding.EncodeToString([]byte(word)))) {
				found[word] += " " + filepath.Base(path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEncryptedFilesHoldNoText checks that after encryption no text, whether written
// before or after, is left in the store's files or its copies, that every text can be
// read back, and that decryption restores all texts.
func TestEncryptedFilesHoldNoText(t *testing.T) {
	t.Parallel()
	var key auth.Key
	x := storetest.NewTexts(t, func(t *testing.T, k auth.Key) (a, b storetest.Store) {
		key = k
		return opener(func(*testing.T, string) {})(t, k)
	})
	store := x.Store().(*sqlite.Store)
	dir := filepath.Dir(store.Path())
	x.Write(t)
	if found := inFiles(t, dir, x.Words()); len(found) != len(x.Words()) {
		t.Fatalf("of %q only %v are in the files of a store in clear: the search does not work", x.Words(), found)
	}
	if changed := convert(t, store, true); changed == 0 {
		t.Error("nothing was changed")
	}
	x.Write(t)
	if found := inFiles(t, dir, x.Words()); len(found) > 0 {
		t.Errorf("an encrypted store holds %v", found)
	}
	x.Check(t)
	if again := convert(t, store, true); again != 0 {
		t.Errorf("encrypted twice, %d rows changed", again)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := store.CopyTo(copied); err != nil {
		t.Fatal(err)
	}
	if found := inFiles(t, filepath.Dir(copied), x.Words()); len(found) > 0 {
		t.Errorf("a copy of an encrypted store holds %v", found)
	}
	if _, err := sqlite.Examine(t.Context(), copied, key); err != nil {
		t.Errorf("the copy is not whole: %v", err)
	}
	convert(t, store, false)
	x.Check(t)
	if found := inFiles(t, dir, x.Words()); len(found) != len(x.Words()) {
		t.Errorf("of %d words %d are in the files of a store that was decrypted", len(x.Words()), len(found))
	}
	if n := countSealed(t, store.Path()); n != 0 {
		t.Errorf("a store that was decrypted holds %d sealed texts", n)
	}
}

// countSealed counts the sealed texts of all columns.
func countSealed(t *testing.T, path string) (total int) {
	t.Helper()
	for _, n := range sealedTexts(t, path) {
		total += n
	}
	return total
}

// sealedTexts counts the sealed texts of each column that has any.
func sealedTexts(t *testing.T, path string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found := map[string]int{}
	for _, table := range sqlstore.Convertibles("seq") {
		for _, column := range table.Columns() {
			var n int
			if err := db.QueryRow(fmt.Sprintf("SELECT count(*) FROM %s WHERE substr(%s, 1, 4) = char(2, 2, 115, 58)", table.Name, column)).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				found[table.Name+"."+column] = n
			}
		}
	}
	return found
}

// TestMovedTextsDoNotOpen swaps texts between two rows, as an attacker could who can
// write the file but has no key. Neither text may be accepted in its new place, and the
// data next to them must stay readable.
func TestMovedTextsDoNotOpen(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	s := e.Served(t)
	store := e.Store(t)
	convert(t, store, true)
	p := bridgetest.NewPair(t, s.Service)
	for _, text := range []string{"pay one", "pay two", "pay three"} {
		if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.LogStep(ctx, p.A, steps.LogRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteFile(ctx, p.A, files.WriteRequest{Name: files.Name{Path: text}, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	query(t, e.Path, append(append(exchange("messages", "id", "message", 1, 2), exchange("steps", "number", "text", 1, 2)...),
		exchange("file_texts", "file", "text", 1, 2)...)...)
	d, err := s.Check(ctx, p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 3 {
		t.Fatalf("got %d messages, %v: two that do not open keep the third from being read", len(d.Messages), err)
	}
	for i, want := range []string{sqlstore.Unreadable, sqlstore.Unreadable, "pay three"} {
		if d.Messages[i].Text != want {
			t.Errorf("message %d says %q", i+1, d.Messages[i].Text)
		}
	}
	all, err := s.Steps.Steps(ctx, steps.Query{Conversation: p.A.Conversation, Limit: 10})
	if err != nil || len(all) != 3 || all[0].Text != sqlstore.Unreadable || all[2].Text != "pay three" {
		t.Errorf("got the steps %+v, %v", all, err)
	}
	for path, want := range map[string]error{"pay one": bridge.ErrStoreDamaged, "pay two": bridge.ErrStoreDamaged, "pay three": nil} {
		r, err := s.ReadFile(ctx, p.B, files.ReadRequest{Name: files.Name{Path: path}})
		if !errors.Is(err, want) || err == nil && r.File.Text != path || err != nil && !strings.Contains(err.Error(), "file_texts.text") {
			t.Errorf("the file %q: got %q, %v", path, r.File.Text, err)
		}
	}
	query(t, e.Path, exchange("audit_log", "seq", "details", 4, 5)...)
	var fault *audit.Fault
	if _, err := s.VerifyAudit(ctx, audit.Head{}); !errors.As(err, &fault) || fault.Seq != 4 {
		t.Errorf("details of two entries were exchanged: got %v", err)
	}
}

// exchange swaps the values of a column between two rows.
func exchange(table, key, column string, one, two int) []string {
	return []string{
		fmt.Sprintf("CREATE TEMP TABLE old_%[1]s AS SELECT %[2]s, %[3]s FROM %[1]s", table, key, column),
		fmt.Sprintf("UPDATE %[1]s SET %[3]s = (SELECT o.%[3]s FROM old_%[1]s o WHERE o.%[2]s = %[4]d - %[1]s.%[2]s) WHERE %[2]s IN (%[5]d, %[6]d)",
			table, key, column, one+two, one, two),
	}
}

var conversionKills = flag.Int("sqlite.conversion-kills", 6, "how often TestKilledConversions kills a conversion")

// convertChild encrypts and decrypts a store until it is killed. Arguments: PATH.
func convertChild(args []string) error {
	key, err := keyfile.Load(filepath.Join(filepath.Dir(args[0]), "bridge.key"))
	if err != nil {
		return err
	}
	store, err := sqlite.Open(context.Background(), args[0], sqlite.Options{Key: key})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	awaitBegin()
	state, err := store.AtRest(context.Background())
	for on := !state.Seals(); err == nil; on = !on {
		_, err = store.Convert(context.Background(), conversion(), on, nil)
	}
	return err
}

// TestKilledConversions kills processes that encrypt and decrypt a store at random
// moments while another process writes. No text may be lost, and the next conversion
// must complete the interrupted one.
func TestKilledConversions(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Served(t)
	p := bridgetest.NewPair(t, s.Service)
	var words []string
	say := func() {
		t.Helper()
		words = append(words, fmt.Sprintf("word-%d-%d", len(words), rand.Uint64()))
		if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: words[len(words)-1]}); err != nil {
			t.Fatal(err)
		}
	}
	for range 600 { // more than a page
		say()
	}
	for range *conversionKills {
		c := start(t, "convert", e.Path)
		if got := c.line(t); got != "ready" {
			t.Fatal(got)
		}
		c.begin(t)
		for until := time.Now().Add(time.Duration(rand.Int64N(int64(400 * time.Millisecond)))); time.Now().Before(until); {
			say()
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		allThere(t, s.Service, p, words)
	}
	store := e.Store(t)
	convert(t, store, true)
	if found := inFiles(t, filepath.Dir(e.Path), words); len(found) > 0 {
		t.Errorf("after the last encryption the files hold %d texts", len(found))
	}
	allThere(t, s.Service, p, words)
	convert(t, store, false)
	allThere(t, s.Service, p, words)
	if n := countSealed(t, e.Path); n != 0 {
		t.Errorf("%d texts are sealed still", n)
	}
	if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}

// allThere fails unless a conversation holds exactly these texts, in order.
func allThere(t *testing.T, s *bridge.Service, p bridgetest.Pair, words []string) {
	t.Helper()
	all, err := s.Messages(t.Context(), p.A.Conversation, 0, len(words)+1)
	if err != nil || len(all) != len(words) {
		t.Fatalf("got %d of %d messages, %v", len(all), len(words), err)
	}
	for i, word := range words {
		if all[i].Text != word {
			t.Fatalf("message %d of %d says %q", i, len(words), all[i].Text)
		}
	}
}

// TestOlderProgramsRefuseAnEncryptedStore checks that older programs, which know
// schema versions but no encryption states, refuse an encrypted store.
func TestOlderProgramsRefuseAnEncryptedStore(t *testing.T) {
	t.Parallel()
	for _, state := range []atrest.State{atrest.On, atrest.TurningOn, atrest.TurningOff} {
		if version := state.Mark(int64(sqlite.SchemaVersion())); version <= int64(sqlite.SchemaVersion()) {
			t.Errorf("%s: version %d is not that of a newer store", state, version)
		}
	}
	e := bridgetest.NewEnv(t)
	e.Store(t)
	query(t, e.Path, marked(atrest.State(4), sqlite.SchemaVersion()))
	if _, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key}); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("a state of a newer program: got %v", err)
	}
}

// TestSalvagedTextsStaySealed checks that salvaging an encrypted store yields an
// encrypted store.
func TestSalvagedTextsStaySealed(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	convert(t, store, true)
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	p := bridgetest.NewPair(t, s)
	_, err = s.Send(t.Context(), p.A, bridge.SendRequest{Text: "hello-from-before"})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "state", "bridge.db")
	if err := storefile.Prepare(to); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Salvage(t.Context(), e.Path, to, e.Key); err != nil {
		t.Fatal(err)
	}
	if found := inFiles(t, filepath.Dir(to), []string{"hello-from-before"}); len(found) > 0 {
		t.Errorf("the repaired store holds %v", found)
	}
	repaired, err := sqlite.Open(t.Context(), to, sqlite.Options{Key: e.Key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = repaired.Close() }()
	if state, err := repaired.AtRest(t.Context()); err != nil || state != atrest.On {
		t.Errorf("the encryption is %s, %v", state, err)
	}
	allThere(t, bridge.New(bridge.Config{Store: repaired, Key: e.Key}), p, []string{"hello-from-before"})
}

// BenchmarkEncryption measures the cost of encryption. It makes the same calls in turn
// on a store in clear and on an encrypted one, so that other load on the machine
// affects both alike. It does not wait for the disk, since that would hide the
// difference. Compare the metrics, which are medians in microseconds per call, and
// their ratio:
//
//	go test ./internal/sqlite -run '^$' -bench Encryption -benchtime 3000x
func BenchmarkEncryption(b *testing.B) {
	for _, size := range []int{200, 5_000} {
		b.Run(fmt.Sprintf("%d_characters", size), func(b *testing.B) {
			var of [2]encryptionBench
			for i, state := range []atrest.State{atrest.Off, atrest.On} {
				of[i] = newEncryptionBench(b, state, size)
			}
			for b.Loop() {
				for i := range of {
					of[i].once(b)
				}
			}
			for n, what := range []string{"send", "check", "show"} {
				off, on := median(of[0].took[n]), median(of[1].took[n])
				b.ReportMetric(float64(off.Nanoseconds())/1000, what+"-off-µs")
				b.ReportMetric(float64(on.Nanoseconds())/1000, what+"-on-µs")
				b.ReportMetric(float64(on)/float64(off), what+"-ratio")
			}
		})
	}
}

// encryptionBench holds a store and the time that calls of each kind took.
type encryptionBench struct {
	store *sqlite.Store
	s     *bridge.Service
	p     bridgetest.Pair
	text  string
	took  [3][]time.Duration
}

func newEncryptionBench(b *testing.B, state atrest.State, size int) encryptionBench {
	b.Helper()
	e := bridgetest.NewEnv(b)
	store, err := sqlite.Open(b.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true, Volatile: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	query(b, e.Path, fmt.Sprintf("PRAGMA user_version = %d", state.Mark(int64(sqlite.SchemaVersion()))))
	s := bridge.New(bridge.Config{Store: store, Key: e.Key})
	return encryptionBench{store: store, s: s, p: bridgetest.NewPair(b, s), text: strings.Repeat("0123456 89", size/10)}
}

// once sends a message, reads it, and shows the last 20.
func (x *encryptionBench) once(b *testing.B) {
	ctx := context.Background()
	for n, call := range []func() error{
		func() error { _, err := x.s.Send(ctx, x.p.A, bridge.SendRequest{Text: x.text}); return err },
		func() error {
			d, err := x.s.Check(ctx, x.p.B, bridge.CheckRequest{}, nil)
			return errors.Join(err, x.s.Confirm(ctx, d.Claim))
		},
		func() error {
			_, err := x.store.MessagesBefore(ctx, x.p.A.Conversation, 1<<60, 20)
			return err
		},
	} {
		begin := time.Now()
		if err := call(); err != nil {
			b.Fatal(err)
		}
		x.took[n] = append(x.took[n], time.Since(begin))
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
