package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// smallDisk mounts a filesystem of the given size in bytes and returns its folder.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Skipf("mounting a small tmpfs needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

// envIn returns an environment whose store is in the folder dir.
func envIn(t *testing.T, dir string) *bridgetest.Env {
	t.Helper()
	key, err := keyfile.LoadOrCreate(filepath.Join(dir, "bridge.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &bridgetest.Env{Path: filepath.Join(dir, "bridge.db"), Key: key, Clock: bridgetest.NewClock()}
}

// TestFewDescriptors checks that with any limit on open files a process either starts
// or reports that too many files are open, both on a new store and on an existing one.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	there := newStore(t).Path
	for name, path := range map[string]func() string{
		"new":   func() string { return filepath.Join(t.TempDir(), "state", "bridge.db") },
		"there": func() string { return there },
	} {
		t.Run(name, func(t *testing.T) {
			refused := 0
			for most := 6; most < 40; most++ {
				cmd := exec.Command("sh", "-c", `ulimit -n "$1"; exec "$0" "$2"`, os.Args[0], strconv.Itoa(most), path())
				cmd.Env = append(os.Environ(), childEnv+"=start")
				out, err := cmd.CombinedOutput()
				text := string(out)
				switch {
				case err == nil:
					if refused == 0 {
						t.Errorf("it starts with %d files, so the test cannot fail", most)
					}
					return
				case strings.Contains(text, bridge.ErrTooManyFiles.Error()):
					refused++
				case !strings.Contains(text, "fatal error"): // Go itself needs some before main
					t.Errorf("with %d files: %s", most, text)
				}
			}
			t.Error("it never starts")
		})
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := smallDisk(t, 4<<20)
	closed := filepath.Join(dir, "closed.db")
	ballast := filepath.Join(dir, "ballast")
	write(t, ballast, strings.Repeat("x", 1<<20))
	e := envIn(t, dir)
	if _, err := open2(e, closed); err != nil {
		t.Fatal(err)
	}
	s := e.Service(t)
	p := bridgetest.NewPair(t, s)
	waiting, err := s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
	if err != nil {
		t.Fatal(err)
	}

	long := strings.Repeat("y", bridge.MaxMessageLength)
	request := bridge.SendRequest{Text: long, IdempotencyKey: "the one that does not fit"}
	sent := int64(0)
	for ; err == nil && sent < 1000; sent++ {
		request.IdempotencyKey = fmt.Sprint(sent)
		_, err = s.Send(ctx, p.A, request)
	}
	sent--
	if !errors.Is(err, bridge.ErrStoreFull) {
		t.Fatalf("after %d messages: %v, want ErrStoreFull", sent, err)
	}
	for range 3 { // a second try must fail in the same way
		if _, err := s.Send(ctx, p.A, request); !errors.Is(err, bridge.ErrStoreFull) {
			t.Errorf("got %v, want ErrStoreFull", err)
		}
	}
	filled := fillUp(t, dir)
	for err = nil; err == nil; { // until not even a small change fits
		_, err = s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
	}
	if !errors.Is(err, bridge.ErrStoreFull) {
		t.Errorf("creating on a full disk: %v, want ErrStoreFull", err)
	}
	_, joinErr := s.Join(ctx, waiting.JoinCode) // may still fit
	if joinErr != nil && !errors.Is(joinErr, bridge.ErrStoreFull) {
		t.Errorf("a good code on a full disk: %v, want ErrStoreFull", joinErr)
	}
	if _, err := open2(e, filepath.Join(dir, "second.db")); !errors.Is(err, bridge.ErrStoreFull) {
		t.Errorf("a new store on a full disk: %v, want ErrStoreFull", err)
	}
	if _, err := open2(e, closed); !errors.Is(err, bridge.ErrStoreFull) {
		t.Errorf("opening a store on a full disk: %v, want ErrStoreFull", err)
	}
	overview, err := s.Conversation(ctx, p.A.Conversation)
	if err != nil || overview.Sessions[1].Unread != sent {
		t.Errorf("%d unread, %v, want %d", overview.Sessions[1].Unread, err, sent)
	}

	for _, file := range []string{ballast, filled} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	after, err := s.Send(ctx, p.A, request)
	if err != nil || after.Repeated || after.Seq != sent+1 {
		t.Fatalf("once there is room: %+v, %v, want message %d", after, err, sent+1)
	}
	if joinErr != nil {
		if _, err := s.Join(ctx, waiting.JoinCode); err != nil {
			t.Errorf("the code once there is room: %v", err)
		}
	}
	for seq := int64(1); seq <= after.Seq; seq++ {
		d, err := s.Check(ctx, p.B, bridge.CheckRequest{Limit: 1}, nil)
		if err != nil || len(d.Messages) != 1 || d.Messages[0].Seq != seq || d.Messages[0].Text != long {
			t.Fatalf("message %d: %d messages, %v", seq, len(d.Messages), err)
		}
		if err := s.Confirm(ctx, d.Claim); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.VerifyAudit(ctx, audit.Head{}); err != nil {
		t.Error(err)
	}
	checkIntegrity(t, e.Path)
}

// fillUp uses up the last bytes of a disk and returns the file that takes them.
func fillUp(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "filled")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// open2 opens another store under e's key, and closes it.
func open2(e *bridgetest.Env, path string) (*sqlite.Store, error) {
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{Key: e.Key, Create: true})
	if err != nil {
		return nil, err
	}
	return s, s.Close()
}

func TestReadOnlyFilesystem(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := smallDisk(t, 4<<20)
	e := envIn(t, dir)
	if err := open(e, true); err != nil {
		t.Fatal(err)
	}
	remount(t, dir, unix.MS_RDONLY)
	before := folder(t, dir)
	if err := open(e, true); !errors.Is(err, bridge.ErrStoreReadOnly) {
		t.Errorf("an existing store: %v, want ErrStoreReadOnly", err)
	}
	if _, err := open2(e, filepath.Join(dir, "new.db")); !errors.Is(err, bridge.ErrStoreReadOnly) {
		t.Errorf("a new store: %v, want ErrStoreReadOnly", err)
	}
	if err := storefile.Prepare(filepath.Join(dir, "sub", "bridge.db")); !errors.Is(err, bridge.ErrStoreReadOnly) {
		t.Errorf("a new folder: %v, want ErrStoreReadOnly", err)
	}
	if err := storefile.CheckWritable(e.Path); !errors.Is(err, bridge.ErrStoreReadOnly) {
		t.Errorf("CheckWritable: %v, want ErrStoreReadOnly", err)
	}
	if after := folder(t, dir); len(after) != len(before) {
		t.Errorf("files were made: %d, then %d", len(before), len(after))
	}
	remount(t, dir, 0)
	if err := storefile.CheckWritable(e.Path); err != nil {
		t.Errorf("CheckWritable: %v", err)
	}
	s := e.Service(t)
	p := bridgetest.NewPair(t, s)
	if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Error(err)
	}
}

func TestFolderWithoutWritePermission(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; TestReadOnlyFilesystem shows the same")
	}
	e := newStore(t)
	dir := filepath.Dir(e.Path)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(dir, 0o700) }()
	if err := open(e, true); !errors.Is(err, bridge.ErrStoreReadOnly) {
		t.Errorf("got %v, want ErrStoreReadOnly", err)
	}
	if err := storefile.CheckWritable(dir); !errors.Is(err, bridge.ErrStoreReadOnly) {
		t.Errorf("CheckWritable: got %v, want ErrStoreReadOnly", err)
	}
}

// TestCleanupOnAFullDisk checks that a cleanup works on a full disk, since it is how
// the operator makes room. It must also work next to conversations that it leaves alone
// because their expiry was changed by other means.
func TestCleanupOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 8<<20)
	e := envIn(t, dir)
	s := e.Service(t)
	const kept = 3
	var moved []string
	for range 4 { // ids are random: some sort before the removed one, others after it
		m := bridgetest.NewPair(t, s)
		moved = append(moved, m.A.Conversation)
		for range kept {
			_, err := s.Send(t.Context(), m.A, bridge.SendRequest{Text: "kept"})
			must(t, err)
		}
	}
	p := bridgetest.NewPair(t, s)
	query(t, e.Path, "UPDATE conversations SET expires_at = expires_at - 1 WHERE id <> '"+p.A.Conversation+"'")
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = s.Send(t.Context(), p.A, bridge.SendRequest{Text: fmt.Sprint(i, strings.Repeat("filling ", 5000))})
	}
	if !errors.Is(err, bridge.ErrStoreFull) {
		t.Fatalf("got %v, want ErrStoreFull", err)
	}
	fillUp(t, dir)
	e.Clock.Advance(bridge.MaxTTL + time.Hour)
	removed, err := s.Cleanup(t.Context(), 0, false)
	if !errors.Is(err, bridge.ErrExpiryMoved) || len(removed) != 1 || removed[0].ID != p.A.Conversation {
		t.Fatalf("removed %d, %v", len(removed), err)
	}
	for _, id := range moved {
		if all, err := s.Messages(t.Context(), id, 0, 10); err != nil || len(all) != kept {
			t.Errorf("%s has %d messages, %v", id, len(all), err)
		}
	}
	must(t, s.Compact(t.Context()))
	if _, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"}); err != nil {
		t.Errorf("after the cleanup: %v", err)
	}
	if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}
