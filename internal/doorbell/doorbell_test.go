//go:build unix

package doorbell_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/doorbell"
)

// childEnv makes the test binary listen in the folder given as its value,
// report that, and answer each ring with a line.
const childEnv = "BRIDGE_DOORBELL_TEST_CHILD"

func TestMain(m *testing.M) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	rings, _, err := doorbell.New(dir).Listen("key")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening")
	for range rings {
		fmt.Println("rung")
	}
}

// listener is another process that listens.
type listener struct {
	*exec.Cmd
	out *bufio.Reader
}

func startListener(t *testing.T, dir string) *listener {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &listener{cmd, bufio.NewReader(out)}
	t.Cleanup(func() { l.kill() })
	l.expect(t, "listening")
	return l
}

func (l *listener) expect(t *testing.T, want string) {
	t.Helper()
	if line, err := l.out.ReadString('\n'); err != nil || strings.TrimSpace(line) != want {
		t.Fatalf("got %q, %v, want %q", line, err, want)
	}
}

func (l *listener) kill() {
	_ = l.Process.Kill()
	_ = l.Wait()
}

// bell is a listener in this process.
type bell struct {
	C    <-chan struct{}
	stop func() error
}

func listen(t testing.TB, d doorbell.Doorbells, key string) bell {
	t.Helper()
	rings, stop, err := d.Listen(key)
	if err != nil {
		t.Fatal(err)
	}
	return bell{rings, stop}
}

func closeBell(t testing.TB, b bell) {
	t.Helper()
	if err := b.stop(); err != nil {
		t.Error(err)
	}
}

// left returns everything in dir, at any depth.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir && err == nil {
			names = append(names, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func TestRingWakesOtherProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bells")
	one, other := startListener(t, dir), startListener(t, dir)
	for range 20 {
		doorbell.New(dir).Ring("key")
		one.expect(t, "rung")
		other.expect(t, "rung")
	}
}

func TestRingTakesDownTheBellsOfTheDead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bells")
	dead, alive := startListener(t, dir), startListener(t, dir)
	dead.kill()
	d := doorbell.New(dir)
	d.Ring("key")
	alive.expect(t, "rung")
	if names := left(t, dir); len(names) != 2 { // the folder and the doorbell of the live listener
		t.Errorf("left: %q", names)
	}
	alive.kill()
	d.Ring("key")
	d.Ring("key") // the folder, once it is empty
	if names := left(t, dir); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
}

func TestRingsThatNobodyTookAreOne(t *testing.T) {
	d := doorbell.New(filepath.Join(t.TempDir(), "bells"))
	bell := listen(t, d, "key")
	defer closeBell(t, bell)
	for range 5000 { // more than a socket buffers: none may block
		d.Ring("key")
	}
	<-bell.C
}

func TestBellsOfOtherKeysAreSilent(t *testing.T) {
	d := doorbell.New(filepath.Join(t.TempDir(), "bells"))
	mine, other := listen(t, d, "conv/a"), listen(t, d, "conv/b")
	defer closeBell(t, mine)
	d.Ring("conv/b")
	<-other.C
	closeBell(t, other)
	select {
	case <-mine.C:
		t.Error("a bell rang for another key")
	default:
	}
}

func TestManyWaiters(t *testing.T) {
	d := doorbell.New(filepath.Join(t.TempDir(), "bells"))
	bells := make([]bell, 100)
	for i := range bells {
		bells[i] = listen(t, d, "key")
	}
	d.Ring("key")
	for _, b := range bells {
		<-b.C
	}
	for _, b := range bells {
		closeBell(t, b)
	}
}

func TestVeryLongPaths(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a way to paths that a socket address cannot hold")
	}
	dir := t.TempDir()
	for range 10 {
		dir = filepath.Join(dir, strings.Repeat("long", 10))
	}
	d := doorbell.New(dir)
	bell := listen(t, d, "key")
	d.Ring("key")
	<-bell.C
	closeBell(t, bell)
	if names := left(t, dir); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
	child := startListener(t, dir)
	d.Ring("key")
	child.expect(t, "rung")
}

func TestNothingStaysBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bells")
	d := doorbell.New(dir)
	useOnce := func() {
		bell := listen(t, d, "key")
		d.Ring("key")
		<-bell.C
		closeBell(t, bell)
	}
	useOnce() // the runtime opens files itself
	before, files := runtime.NumGoroutine(), openFiles(t)
	for range 50 {
		useOnce()
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines, then %d", before, now)
	}
	if now := openFiles(t); now > files {
		t.Errorf("%d open files, then %d", files, now)
	}
	if names := left(t, dir); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
}

// openFiles counts the open files of the process, if the platform allows it.
func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}

// TestHangingUpAndTakingDownAtOnce creates doorbells while others remove the
// folder.
func TestHangingUpAndTakingDownAtOnce(t *testing.T) {
	d := doorbell.New(filepath.Join(t.TempDir(), "bells"))
	stop := make(chan struct{})
	var ringing, waiting sync.WaitGroup
	ringing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				d.Ring("key")
			}
		}
	})
	for range 8 {
		waiting.Go(func() {
			for range 100 {
				rings, stop, err := d.Listen("key")
				if err != nil {
					t.Error(err)
					return
				}
				<-rings
				if err := stop(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	waiting.Wait()
	close(stop)
	ringing.Wait()
}

func TestRingWithoutListeners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing", "bells")
	doorbell.New(dir).Ring("key")
	if names := left(t, filepath.Dir(dir)); len(names) != 0 {
		t.Errorf("ringing made %q", names)
	}
}

func TestListenMakesAPrivateFolder(t *testing.T) {
	base := t.TempDir()
	for _, mask := range []int{0, 0o22, 0o177, 0o777} {
		dir := filepath.Join(base, fmt.Sprintf("%o", mask))
		before := unix.Umask(mask)
		_, stop, err := doorbell.New(dir).Listen("key")
		unix.Umask(before)
		if err != nil {
			t.Errorf("umask %04o: %v", mask, err)
			continue
		}
		for _, name := range append(left(t, dir)[:1], dir) {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("umask %04o: got %v, %v", mask, info.Mode(), err)
			}
		}
		closeBell(t, bell{stop: stop})
	}
}

func TestListenMakesMissingFolders(t *testing.T) {
	closeBell(t, listen(t, doorbell.New(filepath.Join(t.TempDir(), "missing", "bells")), "key"))
}

func TestListenWhereNoFolderCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := doorbell.New(filepath.Join(file, "bells"))
	if _, _, err := d.Listen("key"); err == nil {
		t.Error("want an error")
	}
	d.Ring("key")
}

func TestZeroDoorbells(t *testing.T) {
	var d doorbell.Doorbells
	if _, _, err := d.Listen("key"); !errors.Is(err, doorbell.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
	d.Ring("key")
}

func BenchmarkRing(b *testing.B) {
	d := doorbell.New(filepath.Join(b.TempDir(), "bells"))
	bell := listen(b, d, "key")
	defer closeBell(b, bell)
	for b.Loop() {
		d.Ring("key")
		<-bell.C
	}
}

func BenchmarkRingNobody(b *testing.B) {
	d := doorbell.New(filepath.Join(b.TempDir(), "bells"))
	for b.Loop() {
		d.Ring("key")
	}
}
