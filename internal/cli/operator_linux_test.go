package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// operatorMain is the program operator, which simulates a human at a terminal. It runs
// the command in its arguments on its own pseudo-terminal and answers its prompts: it
// types the phrase, the code that is shown, or yes. With "-wrong" as the first argument
// it types a wrong code; with "-blind" there is no terminal. It prints what the
// terminal showed, and exits with the command's exit code.
//
// The command is started by a process that exits immediately, so that the process that
// runs the tests, possibly an agent, is not among its ancestors.
func operatorMain() int {
	args := os.Args[1:]
	if args[0] == "-detach" {
		return detach(args[1:], true)
	}
	if args[0] == "-detach-blind" {
		return detach(args[1:], false)
	}
	how, open, detach := "", openPTY, "-detach"
	if strings.HasPrefix(args[0], "-") {
		how, args = args[0], args[1:]
	}
	if how == "-blind" {
		open, detach = os.Pipe, "-detach-blind"
	}
	master, slave, err := open()
	if err != nil {
		return fatal(err)
	}
	starter := exec.Command("operator", append([]string{detach}, args...)...)
	starter.Stdin, starter.Stdout, starter.Stderr = slave, slave, os.Stderr
	if err := starter.Run(); err != nil {
		return fatal(err)
	}
	if err := slave.Close(); err != nil {
		return fatal(err)
	}
	shown := answerPrompts(master, how == "-wrong")
	_, _ = os.Stdout.Write(bytes.ReplaceAll(shown, []byte("\r\n"), []byte("\n")))
	end := regexp.MustCompile(`exit code (\d+)\r?\n$`).FindSubmatch(shown)
	if end == nil {
		return fatal(fmt.Errorf("the command did not end: %q", shown))
	}
	code, _ := strconv.Atoi(string(end[1]))
	return code
}

// detach starts the command on the terminal that is its standard input, and does not
// wait for it.
func detach(args []string, terminal bool) int {
	shell := exec.Command("/bin/sh", append([]string{"-c", `"$@"; echo "exit code $?"`, "sh"}, args...)...)
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdin, os.Stdin
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: terminal}
	if err := shell.Start(); err != nil {
		return fatal(err)
	}
	return 0
}

var prompts = regexp.MustCompile(`Type (?:the code )?(.*?)(?: to restore)?: $`)

// answerPrompts types the answers until no process has the terminal open.
func answerPrompts(master *os.File, wrong bool) []byte {
	var shown []byte
	answered := 0
	buffer := make([]byte, 4096)
	for {
		n, err := master.Read(buffer)
		shown = append(shown, buffer[:n]...)
		if prompt := prompts.FindSubmatch(shown[answered:]); prompt != nil {
			answered = len(shown)
			answer := string(prompt[1])
			if wrong && len(answer) == 6 {
				answer = "nope"
			}
			_, _ = io.WriteString(master, answer+"\n")
		}
		if err != nil { // EIO: the last process has closed it
			return shown
		}
	}
}

// openPTY opens a pseudo-terminal (pts(4)).
func openPTY() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	return master, slave, err
}
