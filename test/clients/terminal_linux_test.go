package clients_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a client at a pseudo-terminal without a viewer.
type terminal struct {
	*seat
	master *os.File
	cmd    *exec.Cmd

	mu     sync.Mutex
	screen bytes.Buffer
	done   chan struct{}
}

// terminal starts the client with arguments at a terminal, in a folder.
func (s *seat) terminal(folder string, args ...string) *terminal {
	s.Helper()
	master, slave, err := openTerminal()
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	t := &terminal{seat: s, master: master, done: make(chan struct{})}
	t.cmd = s.command(ctx, s.program, args...)
	t.cmd.Dir = folder
	t.cmd.Env = append(t.cmd.Env[:len(t.cmd.Env):len(t.cmd.Env)], append(s.client.model(s.model.URL()), "TERM=xterm-256color", "SHELL=/bin/sh")...)
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = slave, slave, slave
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := errors.Join(t.cmd.Start(), slave.Close()); err != nil {
		cancel()
		s.Fatal(err)
	}
	go t.watch()
	s.Cleanup(func() {
		cancel()
		_ = t.cmd.Wait() // it was killed
		_ = master.Close()
		<-t.done
		if s.Failed() {
			text := plainScreen(t.shown())
			s.Logf("the end of the screen, without blanks: %s", text[max(0, len(text)-1000):])
		}
	})
	return t
}

// terminalAnswers are a terminal's answers to the queries that programs wait for:
// the position of the cursor (DSR 6: the first corner), the type of terminal (DA:
// a VT100), the colours (OSC 10 and 11: white on black), and the name (XTVERSION).
var terminalAnswers = map[string]string{
	"\x1b[6n": "\x1b[1;1R", "\x1b[c": "\x1b[?1;2c", "\x1b[>q": "\x1bP>|test\x1b\\", "\x1b[>0q": "\x1bP>|test\x1b\\",
	"\x1b]10;?": "\x1b]10;rgb:ffff/ffff/ffff\x1b\\", "\x1b]11;?": "\x1b]11;rgb:0000/0000/0000\x1b\\",
}

// plainScreen returns what was written to a screen without the sequences that move
// the cursor and set colours (ECMA-48), and without blanks, because some programs
// move the cursor instead of writing them.
func plainScreen(shown string) string {
	return strings.Join(strings.Fields(sequences.ReplaceAllString(shown, "")), "")
}

var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])`)

// watch records the output and answers the queries of the program.
func (t *terminal) watch() {
	defer close(t.done)
	buffer := make([]byte, 16<<10)
	for {
		n, err := t.master.Read(buffer)
		t.mu.Lock()
		t.screen.Write(buffer[:n])
		t.mu.Unlock()
		for question, answer := range terminalAnswers {
			for range bytes.Count(buffer[:n], []byte(question)) {
				_, _ = io.WriteString(t.master, answer) // an error means that the program has ended
			}
		}
		if err != nil {
			return
		}
	}
}

func (t *terminal) shown() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.String()
}

// openTerminal opens a pseudo-terminal with 40 lines of 120 columns (pts(4)).
func openTerminal() (master, slave *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120})
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		_ = master.Close()
	}
	return master, slave, err
}

// hearOf waits for a value from a script while its client is at a terminal.
func hearOf[T any](at *terminal, from <-chan T) (said T) {
	at.Helper()
	select {
	case said = <-from:
	case <-time.After(callTimeout):
		at.Fatal("the client did not get that far")
	}
	return said
}
