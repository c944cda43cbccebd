//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/doorbell"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// childEnv makes the test binary run one of children instead of the tests.
const childEnv = "BRIDGE_SQLITE_TEST_CHILD"

// children are the programs that tests run as separate processes.
var children = map[string]func(args []string) error{
	"start":    startChild,
	"drain":    drainChild,
	"count":    countChild,
	"hold":     holdChild,
	"sender":   senderChild,
	"receiver": receiverChild,
	"approved": approvedChild,
	"waiter":   waiterChild,
	"talker":   talkerChild,
	"faulty":   faultyChild,
	"writing":  writingChild,
	"reading":  readingChild,
	"reopen":   reopenChild,
	"refill":   refillChild,
	"outdated": outdatedChild,
	"claim":    claimChild,
	"editor":   editorChild,
	"convert":  convertChild,
}

func TestMain(m *testing.M) {
	run := children[os.Getenv(childEnv)]
	if run == nil {
		os.Exit(m.Run())
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child is a running process. Closing its stdin tells it to begin.
type child struct {
	*exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stderr *strings.Builder
}

func start(t testing.TB, name string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"="+name, "GOMAXPROCS=2")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := &strings.Builder{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &child{Cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout), stderr: stderr}
}

// lines returns the lines that the child printed until it exited, and fails the test if
// it exited with an error.
func (c *child) lines(t testing.TB) []string {
	t.Helper()
	all, err := io.ReadAll(c.stdout)
	if err = errors.Join(err, c.Wait()); err != nil {
		t.Errorf("%v: %s", err, c.stderr)
	}
	return strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
}

// line waits for one line from the child.
func (c *child) line(t testing.TB) string {
	t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, c.stderr)
	}
	return strings.TrimSpace(line)
}

func (c *child) begin(t testing.TB) {
	t.Helper()
	if err := c.stdin.Close(); err != nil {
		t.Fatal(err)
	}
}

// What follows runs in the children.

func awaitBegin() { _, _ = io.Copy(io.Discard, os.Stdin) }

// openChild opens the store at path, and the key beside it, as `bridge serve` does.
func openChild(path string, now func() time.Time) (*bridge.Service, *sqlite.Store, error) {
	if err := storefile.Prepare(path); err != nil {
		return nil, nil, err
	}
	key, err := keyfile.LoadOrCreate(filepath.Join(filepath.Dir(path), "bridge.key"))
	if err != nil {
		return nil, nil, storefile.Unwritable(err)
	}
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{Key: key, Create: true})
	if err != nil {
		return nil, nil, err
	}
	bells := doorbell.New(filepath.Join(filepath.Dir(path), "bells"))
	return bridge.New(bridge.Config{Store: store, Key: key, Doorbells: bells, Now: now}), store, nil
}

// startChild opens a store, makes a conversation and sends a message.
func startChild(args []string) error {
	awaitBegin()
	ctx := context.Background()
	var (
		s     *bridge.Service
		store *sqlite.Store
		made  bridge.Created
	)
	err := retryBusy(func() (err error) {
		s, store, err = openChild(args[0], nil)
		return err
	})
	if err != nil {
		return err
	}
	err = retryBusy(func() (err error) {
		made, err = s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
		return err
	})
	if err != nil {
		return err
	}
	a := bridge.Credentials{Conversation: made.ID, Session: bridge.SessionA, Token: made.TokenA}
	err = retryBusy(func() error {
		_, err := s.Send(ctx, a, bridge.SendRequest{Text: "hello"})
		return err
	})
	return errors.Join(err, store.Close())
}

// soonest is less than the shortest wait after which a store is reported as busy: 30 s
// for SQLite's lock, about 10 s for the locks of the write-ahead log.
const soonest = 9 * time.Second

// retryBusy retries as ErrStoreBusy advises, since nothing was stored. A hundred
// processes started at the same time on a loaded machine can wait for more than half a
// minute. ErrStoreBusy returned without a wait is a fault.
func retryBusy(do func() error) (err error) {
	for range 20 {
		begun := time.Now()
		if err = do(); !errors.Is(err, bridge.ErrStoreBusy) {
			return err
		}
		if waited := time.Since(begun); waited < soonest {
			return fmt.Errorf("after %s: %w", waited, err)
		}
	}
	return err
}

// drainChild prints and confirms a session's mail until n messages are read.
func drainChild(args []string) error {
	ctx := context.Background()
	s, store, err := openChild(args[0], nil)
	if err != nil {
		return err
	}
	c := credentials(args[1:])
	fmt.Println("ready")
	awaitBegin()
	for {
		d, err := s.Check(ctx, c, bridge.CheckRequest{Limit: 3}, nil)
		if err != nil {
			return err
		}
		if len(d.Messages) == 0 {
			return store.Close()
		}
		for _, m := range d.Messages {
			fmt.Println(d.Claim.ID, m.Seq, m.Redelivered)
		}
		if err := s.Confirm(ctx, d.Claim); err != nil {
			return err
		}
	}
}

func credentials(args []string) bridge.Credentials {
	return bridge.Credentials{Conversation: args[0], Session: bridge.SessionID(args[1]), Token: args[2]}
}

func arguments(e *bridgetest.Env, c bridge.Credentials) []string {
	return []string{e.Path, c.Conversation, string(c.Session), c.Token}
}

// countChild increments the number in a file that is protected by the turnstile alone.
func countChild(args []string) error {
	awaitBegin()
	times, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	t := storefile.NewTurnstile(args[0], time.Hour)
	for range times {
		leave, err := t.Enter(context.Background())
		if err != nil {
			return err
		}
		if err := count(args[0]); err != nil {
			return err
		}
		leave()
	}
	return t.Close()
}

func count(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strconv.Itoa(n+1)), 0o600)
}

// holdChild takes its turn and keeps it.
func holdChild(args []string) error {
	if _, err := storefile.NewTurnstile(args[0], time.Hour).Enter(context.Background()); err != nil {
		return err
	}
	fmt.Println("held")
	awaitBegin()
	return nil
}

// writingChild begins a write transaction and leaves it open.
func writingChild(args []string) error {
	db, err := sql.Open("sqlite", args[0])
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	fmt.Println("writing")
	awaitBegin()
	return nil
}
