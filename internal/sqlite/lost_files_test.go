//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// talkerChild sends each line of standard input as a message and prints the result:
// "ok", "gone", or the error.
func talkerChild(args []string) error {
	s, store, err := openChild(args[0], nil)
	if errors.Is(err, bridge.ErrStoreGone) {
		fmt.Println("gone")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Println("open")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		_, err := s.Send(context.Background(), credentials(args[1:]), bridge.SendRequest{Text: lines.Text()})
		switch {
		case err == nil:
			fmt.Println("ok")
		case errors.Is(err, bridge.ErrStoreGone):
			fmt.Println("gone")
		default:
			fmt.Println(err)
		}
	}
	return errors.Join(lines.Err(), store.Close())
}

// talker is a running talkerChild.
type talker struct {
	*child
	acknowledged []string
}

func startTalker(t *testing.T, e *bridgetest.Env, c bridge.Credentials, want string) *talker {
	t.Helper()
	talker := &talker{child: start(t, "talker", arguments(e, c)...)}
	if got := talker.line(t); got != want {
		t.Errorf("opening: got %q, want %q", got, want)
	}
	return talker
}

func (k *talker) say(t *testing.T, text, want string) {
	t.Helper()
	if _, err := io.WriteString(k.stdin.(io.Writer), text+"\n"); err != nil {
		t.Fatal(err)
	}
	switch got := k.line(t); {
	case got != want:
		t.Errorf("%s: got %q, want %q", text, got, want)
	case got == "ok":
		k.acknowledged = append(k.acknowledged, text)
	}
}

func (k *talker) end(t *testing.T) {
	t.Helper()
	k.begin(t)
	if err := k.Wait(); err != nil {
		t.Errorf("%v: %s", err, k.stderr)
	}
}

// overwrite replaces the content of a file, as cp does.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	must(t, f.Truncate(0))
	_, err = f.Write(content)
	must(t, err)
	must(t, f.Close())
}

// replace puts another file in its place, as mv does.
func replace(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path+"-copy", content, 0o600))
	must(t, os.Rename(path+"-copy", path))
}

// TestFilesLostUnderProcesses removes, replaces or overwrites one of the files of a
// store in use. All processes must refuse the store from then on, and no acknowledged
// message that is still on the disk may be lost.
func TestFilesLostUnderProcesses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// lose damages a file. former is the content of the log at an earlier point.
		lose func(t *testing.T, path string, former []byte)
		// destroys reports that the log itself is destroyed, so that its content is
		// lost.
		destroys bool
		// healed reports that a newly started process can recover the store.
		healed bool
	}{
		{name: "log removed", lose: func(t *testing.T, path string, _ []byte) { must(t, os.Remove(path+"-wal")) }},
		{name: "index removed", healed: true, lose: func(t *testing.T, path string, _ []byte) { must(t, os.Remove(path+"-shm")) }},
		{name: "log replaced", healed: true, lose: func(t *testing.T, path string, _ []byte) { replace(t, path+"-wal") }},
		{name: "index replaced", healed: true, lose: func(t *testing.T, path string, _ []byte) { replace(t, path+"-shm") }},
		{name: "database replaced", healed: true, lose: func(t *testing.T, path string, _ []byte) { replace(t, path) }},
		{name: "log emptied", destroys: true, lose: func(t *testing.T, path string, _ []byte) { must(t, os.Truncate(path+"-wal", 0)) }},
		{name: "log zeroed", destroys: true, lose: func(t *testing.T, path string, _ []byte) {
			info, err := os.Stat(path + "-wal")
			must(t, err)
			overwrite(t, path+"-wal", make([]byte, info.Size()))
		}},
		{name: "earlier log put back", destroys: true, lose: func(t *testing.T, path string, former []byte) { overwrite(t, path+"-wal", former) }},
		{name: "index emptied", healed: true, lose: func(t *testing.T, path string, _ []byte) { must(t, os.Truncate(path+"-shm", 0)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := bridgetest.NewEnv(t)
			p := closedPair(t, e) // before the other processes start
			busy, idle := startTalker(t, e, p.A, "open"), startTalker(t, e, p.B, "open")
			busy.say(t, "one", "ok")
			idle.say(t, "two", "ok")
			former, err := os.ReadFile(e.Path + "-wal")
			must(t, err)
			busy.say(t, "three", "ok")

			tt.lose(t, e.Path, former)
			if !tt.healed {
				late := startTalker(t, e, p.A, "gone")
				late.end(t)
			}
			idle.say(t, "lost", "gone")
			busy.say(t, "lost", "gone")
			busy.say(t, "lost too", "gone")
			idle.end(t)
			busy.end(t)
			if tt.destroys {
				return
			}
			s, store, err := openChild(e.Path, nil)
			must(t, err)
			defer func() { must(t, store.Close()) }()
			found := map[string]bool{}
			messages, err := s.Messages(t.Context(), p.A.Conversation, 0, 100)
			must(t, err)
			for _, m := range messages {
				found[m.Text] = true
			}
			if len(messages) != 3 {
				t.Errorf("%d messages, want 3", len(messages))
			}
			for _, text := range append(busy.acknowledged, idle.acknowledged...) {
				if !found[text] {
					t.Errorf("%q was acknowledged and is gone: the store holds %s", text, strings.Join(sortedKeys(found), ", "))
				}
			}
			checkIntegrity(t, e.Path)
		})
	}
}

// TestFormerIndexPutBack puts back an earlier index, with or without its log. It fits
// the beginning of the log, so a process that has seen more must not continue and
// overwrite the rest.
func TestFormerIndexPutBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files []string
		copy  int // number of messages sent when the copy is made
		keeps int // number of messages, of three, left afterwards
	}{
		{"index", []string{"-shm"}, 2, 3},
		{"index of an empty log", []string{"-shm"}, 0, 3},
		{"log and index", []string{"-wal", "-shm"}, 2, 2},
		{"all files", []string{"", "-wal", "-shm"}, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := bridgetest.NewEnv(t)
			p := closedPair(t, e)
			talker := startTalker(t, e, p.A, "open")
			former := map[string][]byte{}
			for n, text := range []string{"one", "two", "three"} {
				if n == tt.copy {
					for _, name := range tt.files {
						content, err := os.ReadFile(e.Path + name)
						must(t, err)
						former[name] = content
					}
				}
				talker.say(t, text, "ok")
			}
			for _, name := range tt.files {
				overwrite(t, e.Path+name, former[name])
			}
			talker.say(t, "lost", "gone")
			talker.end(t)
			keeps(t, e, p, tt.keeps)
		})
	}
}

// TestIndexOfFormerLogPutBack puts back the index of the log before a restart. A
// restarted log still holds frames of the former log after its new frames, including
// the last one that the former index refers to. Neither a process that has the store
// open nor one that opens it may accept that index.
func TestIndexOfFormerLogPutBack(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	p := closedPair(t, e)
	talker := startTalker(t, e, p.A, "open")
	const before, behind = 12, 2
	for n := range before {
		talker.say(t, fmt.Sprint("before ", n), "ok")
	}
	former, err := os.ReadFile(e.Path + "-shm")
	must(t, err)
	query(t, e.Path, "PRAGMA wal_checkpoint(RESTART)")
	for n := range behind {
		talker.say(t, fmt.Sprint("behind ", n), "ok")
	}

	overwrite(t, e.Path+"-shm", former)
	startTalker(t, e, p.A, "gone").end(t)
	talker.say(t, "lost", "gone")
	talker.end(t)
	keeps(t, e, p, before+behind)
}

// closedPair makes a conversation in a store and closes the store.
func closedPair(t *testing.T, e *bridgetest.Env) bridgetest.Pair {
	t.Helper()
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	defer func() { must(t, store.Close()) }()
	return bridgetest.NewPair(t, s)
}

// keeps fails the test unless the store is sound and has the wanted number of messages
// of a conversation.
func keeps(t *testing.T, e *bridgetest.Env, p bridgetest.Pair, want int) {
	t.Helper()
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	defer func() { must(t, store.Close()) }()
	messages, err := s.Messages(t.Context(), p.A.Conversation, 0, 100)
	must(t, err)
	if len(messages) != want {
		t.Errorf("%d messages, want %d", len(messages), want)
	}
	checkIntegrity(t, e.Path)
}

func sortedKeys(m map[string]bool) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}
