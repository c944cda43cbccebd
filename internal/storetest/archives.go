package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

var archiveTests = []test{
	{"months", archivesOfMonths},
	{"nothing old enough", archiveNothing},
	{"interrupted", archiveInterrupted},
	{"at once", archivesAtOnce},
	{"overtaken", archiveOvertaken},
	{"same file at once", archiveSameFile},
	{"not recorded", archiveNotRecorded},
	{"not read back", archiveNotReadBack},
	{"refused", archiveRefused},
	{"whole log", archiveWholeLog},
}

// archived archives the entries older than age in a new file at path.
func (w *world) archived(t *testing.T, path string, age time.Duration) (audit.Archived, error) {
	t.Helper()
	op := w.a.OperatorOperation("archive_audit", "")
	return archive.New(w.storeA, w.key).Make(t.Context(), op, path, op.Now.Add(-age))
}

// month sends some messages in a new conversation, and then advances the clock by
// thirty days.
func (w *world) month(t *testing.T) bridgetest.Pair {
	t.Helper()
	p := w.pair(t)
	for range 3 {
		w.send(t, w.a, p.A)
		w.verify(t) // extends the spine of a log that has one
	}
	w.clock.Advance(30 * 24 * time.Hour)
	return p
}

// follow verifies the log through archives, in the process that did not make them.
func (w *world) follow(noted audit.Head, paths ...string) (archive.Report, error) {
	return archive.New(w.storeB, w.key).Verify(background(), noted, paths)
}

// archivesOfMonths makes two archives and verifies the log through both. The removed
// entries must be in them, in order, and a missing file in between must be reported.
func archivesOfMonths(t *testing.T, w *world) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	w.month(t)
	young := w.month(t)
	all := w.log(t)
	noted := w.verify(t)
	first := must(w.archived(t, one, 45*24*time.Hour))(t)
	equal(t, "entries up to the last that is old enough", all[first.Last].Time.After(all[first.Last-1].Time), true)
	equal(t, "the entry", w.lastEntry(t), "operator archive_audit ok")
	equal(t, "left", w.log(t)[0].Seq, first.Last+1)
	must(w.follow(noted))(t)
	w.send(t, w.a, bridgetest.NewPair(t, w.a).A)
	w.clock.Advance(60 * 24 * time.Hour)
	second := must(w.archived(t, two, time.Hour))(t)
	equal(t, "the second continues", second.First, first.Last+1)
	equal(t, "old entries were removed", len(w.log(t)), 1)
	w.verify(t)

	r := must(w.follow(noted, two, one))(t)
	equal(t, "first verified", r.First(), int64(1))
	equal(t, "archives known", len(r.Base.Archives), 2)
	equal(t, "known as", r.Base.Archives[0].Name, "one")
	must(w.follow(audit.Head{}))(t)
	must(w.follow(audit.Head{}, two))(t)
	for name, paths := range map[string][]string{"the head is in an archive": nil, "the second is missing": {one}} {
		_, err := w.follow(noted, paths...)
		if !errors.Is(err, archive.ErrNotGiven) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := w.follow(audit.Head{Seq: noted.Seq, MAC: []byte("sixteen other bytes")}, one, two)
	wantError(t, err, audit.ErrNoArchive)
	var seen []audit.Entry
	last := must(archive.New(w.storeB, w.key).Entries(t.Context(), []string{two, one}, func(e audit.Entry) error {
		seen = append(seen, e)
		return nil
	}))(t)
	equal(t, "last archived", last, second.Last)
	equal(t, "what is in the archives", seen[:len(all)], all)
	info := must(os.Stat(one))(t)
	equal(t, "mode", info.Mode().Perm(), os.FileMode(0o600))
	_ = young
}

func archiveNothing(t *testing.T, w *world) {
	path := filepath.Join(t.TempDir(), "none")
	_, err := w.archived(t, path, time.Hour)
	wantError(t, err, archive.ErrNothing)
	w.month(t)
	_, err = w.archived(t, path, 60*24*time.Hour)
	wantError(t, err, archive.ErrNothing)
	if _, err := os.Lstat(path); err == nil {
		t.Error("a file was made for nothing")
	}
}

// killed is the log of a store whose process dies at a given step.
type killed struct {
	archive.Log
	noting, trimming bool
}

func (k killed) NoteArchive(ctx context.Context, op bridge.Operation, a audit.Archived) error {
	if k.noting {
		return bridge.ErrOutcomeUnknown // the file must be kept then
	}
	return k.Log.NoteArchive(ctx, op, a)
}

func (k killed) TrimAudit(ctx context.Context) (int64, error) {
	if k.trimming {
		return 0, nil // dies after the archive was recorded
	}
	return k.Log.TrimAudit(ctx)
}

// archiveInterrupted makes a process die between the steps. Nothing may be lost, the
// log must verify, and a second run must complete the first.
func archiveInterrupted(t *testing.T, w *world) {
	path := filepath.Join(t.TempDir(), "archive")
	w.month(t)
	all := w.log(t)
	op := w.a.OperatorOperation("archive_audit", "")
	archived := func(log archive.Log) error {
		_, err := archive.New(log, w.key).Make(t.Context(), op, path, op.Now)
		return err
	}
	wantError(t, archived(killed{w.storeA, true, false}), bridge.ErrOutcomeUnknown)
	equal(t, "the log after writing the file", w.log(t), all)
	must(w.follow(audit.Head{}))(t)
	must(w.follow(audit.Head{}, path))(t) // entries can be verified with a file that the store does not know

	must(0, archived(killed{w.storeA, false, true}))(t)
	if kept := w.log(t); len(kept) != len(all)+1 {
		t.Errorf("noted, not removed: %d entries of %d and one", len(kept), len(all))
	}
	must(w.follow(audit.Head{}))(t)
	must(w.follow(audit.Head{}, path))(t)

	must(0, archived(w.storeA))(t) // finishes
	equal(t, "left", len(w.log(t)), 1)
	must(w.follow(audit.Head{}, path))(t)
	wantError(t, archived(w.storeA), archive.ErrThere)

	w.month(t)
	op = w.a.OperatorOperation("archive_audit", "")
	second := path + " second"
	must(archive.New(killed{w.storeA, false, true}, w.key).Make(t.Context(), op, second, op.Now))(t)
	wantError(t, archived(w.storeA), archive.ErrThere) // completes the second, and names the first
	must(w.follow(audit.Head{}, path, second))(t)
}

// archivesAtOnce lets two processes archive the same entries. Exactly one must succeed.
func archivesAtOnce(t *testing.T, w *world) {
	dir := t.TempDir()
	w.month(t)
	all := w.log(t)
	var made [2]audit.Archived
	var errs [2]error
	paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	done := make(chan struct{})
	for i, store := range []Store{w.storeA, w.storeB} {
		go func() {
			op := w.a.OperatorOperation("archive_audit", "")
			made[i], errs[i] = archive.New(store, w.key).Make(background(), op, paths[i], op.Now)
			done <- struct{}{}
		}()
	}
	<-done
	<-done
	var kept []string
	for i, err := range errs {
		switch {
		case err == nil:
			kept = append(kept, paths[i])
		case !errors.Is(err, bridge.ErrCutElsewhere) && !errors.Is(err, archive.ErrNothing):
			t.Errorf("got %v", err)
		default:
			if _, err := os.Lstat(paths[i]); err == nil {
				t.Error("what was not noted was kept")
			}
		}
	}
	if len(kept) == 0 {
		t.Fatal("nobody archived")
	}
	r := must(w.follow(audit.Head{}, kept...))(t)
	if r.Base.Seq < int64(len(all)) {
		t.Errorf("cut at %d of %d", r.Base.Seq, len(all))
	}
}

// overtaken is a store in which another process records an archive, and has not yet
// removed its entries, after this one has looked for what earlier calls have left.
type overtaken struct {
	Store
	by func()
}

func (s overtaken) TrimAudit(ctx context.Context) (int64, error) {
	n, err := s.Store.TrimAudit(ctx)
	s.by()
	return n, err
}

// untrimmed is a store whose process is slow to remove archived entries.
type untrimmed struct{ Store }

func (untrimmed) TrimAudit(context.Context) (int64, error) { return 0, nil }

// archiveOvertaken archives what another process has recorded as archived just before.
func archiveOvertaken(t *testing.T, w *world) {
	dir := t.TempDir()
	w.month(t)
	op := w.a.OperatorOperation("archive_audit", "")
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	store := overtaken{w.storeA, func() {
		must(archive.New(untrimmed{w.storeB}, w.key).Make(t.Context(), w.b.OperatorOperation("archive_audit", ""), first, op.Now))(t)
	}}
	_, err := archive.New(store, w.key).Make(t.Context(), op, second, op.Now)
	wantError(t, err, archive.ErrNothing)
	if _, err := os.Lstat(second); err == nil {
		t.Error("a file without entries was kept")
	}
	must(w.follow(audit.Head{}, first))(t)
}

// beforeNote is a store in which something happens, or fails, before an archive is
// recorded.
type beforeNote struct {
	Store
	do func() error
}

func (s beforeNote) NoteArchive(ctx context.Context, op bridge.Operation, a audit.Archived) error {
	if err := s.do(); err != nil {
		return err
	}
	return s.Store.NoteArchive(ctx, op, a)
}

// archiveSameFile lets a second process record the file that the first one has just
// written, by its name or by a link. The first must not remove it.
func archiveSameFile(t *testing.T, w *world) {
	dir := t.TempDir()
	w.month(t)
	all := w.log(t)
	op := w.a.OperatorOperation("archive_audit", "")
	path, link := filepath.Join(dir, "archive"), filepath.Join(dir, "latest")
	made := must(w.recordedFirst(path, path).Make(t.Context(), op, path, op.Now))(t)
	equal(t, "entries in the file", made.Last, int64(len(all)))
	r := must(w.follow(audit.Head{}, path))(t)
	equal(t, "the end of the archive", r.Base.Seq, int64(len(all)))
	equal(t, "archives", len(r.Base.Archives), 1)

	w.month(t)
	second := filepath.Join(dir, "second")
	must(0, os.Symlink(second, link))(t)
	_, err := w.recordedFirst(second, link).Make(t.Context(), w.a.OperatorOperation("archive_audit", ""), second, w.clock.Now())
	wantError(t, err, bridge.ErrCutElsewhere)
	must(w.follow(audit.Head{}, path, second))(t)
}

// recordedFirst returns the archives of a process that writes a file which another
// process, under the given name, records before it.
func (w *world) recordedFirst(path, name string) *archive.Archives {
	return archive.New(beforeNote{w.storeA, func() error {
		if _, err := os.Lstat(path); err != nil {
			return err
		}
		op := w.b.OperatorOperation("archive_audit", "")
		_, err := archive.New(w.storeB, w.key).Make(background(), op, name, op.Now)
		return err
	}}, w.key)
}

// archiveNotRecorded cannot record the file that it has written. Another process may be
// about to record it, so it must be kept, and the next run must complete it.
func archiveNotRecorded(t *testing.T, w *world) {
	path := filepath.Join(t.TempDir(), "archive")
	w.month(t)
	op := w.a.OperatorOperation("archive_audit", "")
	store := beforeNote{w.storeA, func() error { return bridge.ErrStoreBusy }}
	_, err := archive.New(store, w.key).Make(t.Context(), op, path, op.Now)
	wantError(t, err, bridge.ErrStoreBusy)
	must(os.Lstat(path))(t)
	must(w.archived(t, path, 0))(t)
	must(w.follow(audit.Head{}, path))(t)

	w.month(t)
	kept, instead := path+" kept", path+" instead"
	_, err = archive.New(store, w.key).Make(t.Context(), op, kept, w.clock.Now())
	wantError(t, err, bridge.ErrStoreBusy)
	must(w.archived(t, instead, 0))(t)
	_, err = w.archived(t, kept, 0)
	wantError(t, err, archive.ErrThere)
	if !strings.Contains(err.Error(), `recorded as "archive instead"`) {
		t.Errorf("of a file whose entries are in another: %v", err)
	}
	must(w.follow(audit.Head{}, path, instead))(t)
}

// cancelled is a store whose caller gives up when the log has been read.
type cancelled struct {
	Store
	cancel func()
}

func (s cancelled) WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error) {
	defer s.cancel()
	return s.Store.WalkAudit(ctx, begin, visit)
}

// archiveNotReadBack is ended while it reads back the file that it has written, which
// another process may have recorded by then.
func archiveNotReadBack(t *testing.T, w *world) {
	path := filepath.Join(t.TempDir(), "archive")
	w.month(t)
	op := w.a.OperatorOperation("archive_audit", "")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := archive.New(cancelled{w.storeA, cancel}, w.key).Make(ctx, op, path, op.Now)
	wantError(t, err, context.Canceled)
	must(os.Lstat(path))(t)
	must(w.archived(t, path, 0))(t)
	must(w.follow(audit.Head{}, path))(t)
}

// archiveRefused passes files that are not archives of this store.
func archiveRefused(t *testing.T, w *world) {
	dir := t.TempDir()
	path := filepath.Join(dir, "archive")
	w.month(t)
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := w.archived(t, path, 0)
	wantError(t, err, archive.ErrThere)
	must(0, os.Remove(path))(t)
	_, err = w.archived(t, dir, 0)
	wantError(t, err, archive.ErrThere)
	must(w.archived(t, path, 0))(t)
	w.month(t)
	before := must(os.ReadFile(path))(t)
	_, err = w.archived(t, path, 0)
	wantError(t, err, archive.ErrThere)
	equal(t, "the file", must(os.ReadFile(path))(t), before)
	err = w.storeB.NoteArchive(t.Context(), w.b.OperatorOperation("archive_audit", ""), audit.Archived{First: 1, Last: 2})
	wantError(t, err, bridge.ErrCutElsewhere)
}

// archiveWholeLog archives everything again and again; the log must continue after
// that.
func archiveWholeLog(t *testing.T, w *world) {
	dir := t.TempDir()
	var paths []string
	p := w.pair(t)
	for i := range 4 {
		w.send(t, w.a, p.A)
		w.clock.Advance(time.Second)
		paths = append(paths, filepath.Join(dir, string(rune('a'+i))))
		must(w.archived(t, paths[i], 0))(t)
	}
	noted := w.verify(t)
	w.send(t, w.b, p.A)
	r := must(w.follow(noted, paths...))(t)
	equal(t, "archives", len(r.Read), 4)
}
