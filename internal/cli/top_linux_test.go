package cli_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/cli"
)

const (
	otherScreen = "\x1b[?1049h"
	ownScreen   = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

// display is a terminal, with everything that was written to it.
type display struct {
	master, slave *os.File
	before        unix.Termios

	turn    sync.Mutex
	written strings.Builder
	more    *sync.Cond
	ended   bool
}

func newDisplay(t *testing.T, columns, rows uint16) *display {
	t.Helper()
	master, slave, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	d := &display{master: master, slave: slave}
	d.more = sync.NewCond(&d.turn)
	d.resize(t, columns, rows)
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	d.before = *before
	go d.read()
	t.Cleanup(func() { _, _ = slave.Close(), master.Close() })
	return d
}

func (d *display) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := d.master.Read(buffer)
		d.turn.Lock()
		d.written.Write(buffer[:n])
		d.ended = err != nil
		d.more.Broadcast()
		d.turn.Unlock()
		if err != nil {
			return
		}
	}
}

func (d *display) resize(t *testing.T, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(d.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

func (d *display) all() string {
	d.turn.Lock()
	defer d.turn.Unlock()
	return d.written.String()
}

// await waits until the output is as wanted, and returns it.
func (d *display) await(t *testing.T, what string, wanted func(string) bool) string {
	t.Helper()
	timer := time.AfterFunc(timeout, func() { d.turn.Lock(); d.ended = true; d.more.Broadcast(); d.turn.Unlock() })
	defer timer.Stop()
	d.turn.Lock()
	defer d.turn.Unlock()
	for !wanted(d.written.String()) {
		if d.ended {
			all := d.written.String()
			t.Fatalf("%s: not within %s:\n%q", what, timeout, all[max(len(all)-4000, 0):])
		}
		d.more.Wait()
	}
	return d.written.String()
}

// pictures returns the complete screens that were drawn, each as its lines.
func pictures(written string) (all [][]string) {
	written, _, _ = strings.Cut(written, ownScreen)
	parts := strings.Split(written, "\x1b[H")
	for _, part := range parts[1:] {
		if picture, whole := strings.CutSuffix(part, "\x1b[K\x1b[J"); whole {
			all = append(all, strings.Split(picture, "\x1b[K\r\n"))
		}
	}
	return all
}

// last reports whether the last screen contains a text.
func last(text string) func(string) bool {
	return func(written string) bool {
		all := pictures(written)
		return len(all) > 0 && strings.Contains(strings.Join(all[len(all)-1], "\n"), text)
	}
}

// startTop starts `bridge top` on a display, for a store with two agents. The name of
// one contains terminal control characters, and that of the other has wide letters that
// take two columns each.
func startTop(t *testing.T, d *display, env ...string) (*served, *exec.Cmd) {
	t.Helper()
	s := startServe(t)
	s.call(t, 2, "create_conversation", `{"my_role":"\u001b]0;owned\u0007\u001b[2Jthe \u202eplanner","partner_role":"\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57 \ud83d\udc69\u200d\ud83d\udcbb"}`)
	s.receive(t, "join_code")
	cmd := exec.CommandContext(t.Context(), "bridge", "top")
	cmd.Env = append(append(s.Env, "TERM=xterm"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = d.slave, d.slave, d.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.await(t, "the first screen", last("AGENTS"))
	return s, cmd
}

// TestTop checks that the screen fits the terminal at every size, follows changes, and
// shows no control characters from an agent.
func TestTop(t *testing.T) {
	t.Parallel()
	d := newDisplay(t, 80, 24)
	s, cmd := startTop(t, d)
	d.await(t, "the roles", last("planner"))
	s.call(t, 3, "send_to_partner", `{"message":"hello"}`)
	s.receive(t, "message_id")
	d.await(t, "the message", last("unread 1 "))
	for _, size := range [][2]uint16{{60, 12}, {40, 10}, {132, 40}, {80, 24}, {20, 4}, {1, 1}} {
		before := len(pictures(d.all()))
		d.resize(t, size[0], size[1])
		written := d.await(t, "another size", func(written string) bool {
			all := pictures(written)
			return len(all) > before && fits(all[len(all)-1], size[0], size[1])
		})
		for _, part := range []string{"WAITS FOR YOU", "AGENTS", "the", "not joined", "UNREAD"} {
			if size[1] >= 10 && !last(part)(written) {
				all := pictures(written)
				t.Errorf("%d columns and %d lines do not show %q:\n%q", size[0], size[1], part, all[len(all)-1])
			}
		}
	}
	if _, err := d.master.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("q: %v", err)
	}
	written := d.await(t, "the end", func(written string) bool { return strings.HasSuffix(written, ownScreen) })
	if strings.Contains(written, "\x1b]") || strings.ContainsAny(written, "\a\u202e") || strings.Contains(written, "\x1b[2J") {
		t.Errorf("an agent controls the terminal: %q", written)
	}
}

// fits reports whether a screen has no more lines and columns than the terminal, and
// uses most of its columns.
func fits(lines []string, columns, rows uint16) bool {
	widest := 0
	for _, line := range lines {
		widest = max(widest, cli.DisplayWidth(withoutColours(line)))
	}
	return len(lines) <= int(rows) && widest <= int(columns) && widest > int(columns)/2
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func withoutColours(line string) string { return colours.ReplaceAllString(line, "") }

// TestTopEnds checks that the terminal is restored, however top ends.
func TestTopEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*display, *exec.Cmd) error{
		"q":       func(d *display, _ *exec.Cmd) error { _, err := d.master.WriteString("q"); return err },
		"Ctrl-C":  func(d *display, _ *exec.Cmd) error { _, err := d.master.WriteString("\x03"); return err },
		"SIGTERM": func(_ *display, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":  func(_ *display, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisplay(t, 80, 24)
			_, cmd := startTop(t, d, "NO_COLOR=1")
			raw, err := unix.IoctlGetTermios(int(d.slave.Fd()), unix.TCGETS)
			if err != nil || raw.Lflag&unix.ECHO != 0 {
				t.Errorf("keys are echoed: %v", err)
			}
			if err := end(d, cmd); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			written := d.await(t, "the end", func(written string) bool { return strings.HasSuffix(written, ownScreen) })
			if !strings.HasPrefix(written, otherScreen) || colours.MatchString(written) {
				t.Errorf("it begins elsewhere, or has colours: %q", written)
			}
			after, err := unix.IoctlGetTermios(int(d.slave.Fd()), unix.TCGETS)
			if err != nil || *after != d.before {
				t.Errorf("the terminal was %v and is %v: %v", d.before, after, err)
			}
		})
	}
}

// TestTopOnADumbTerminal checks that everything is printed once, without control
// sequences, and that top then exits.
func TestTopOnADumbTerminal(t *testing.T) {
	t.Parallel()
	d := newDisplay(t, 80, 24)
	s := startServe(t)
	s.call(t, 2, "create_conversation", `{"my_role":"\u001b]0;owned\u0007the planner","partner_role":"worker"}`)
	s.receive(t, "join_code")
	cmd := exec.CommandContext(t.Context(), "bridge", "top")
	cmd.Env = slices.Concat(s.Env, []string{"TERM=dumb"})
	cmd.Stdin, cmd.Stdout, cmd.Stderr = d.slave, d.slave, d.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	written := d.await(t, "the agents", func(written string) bool { return strings.Contains(written, "the planner") })
	if strings.ContainsAny(written, "\x1b\a") {
		t.Errorf("it is sent what it does not know: %q", written)
	}
}
