package cli

import (
	"bufio"
	"errors"
	"os"

	"golang.org/x/term"
)

// terminal is the process's controlling terminal, where a person types. Standard input
// could be supplied by an agent.
type terminal struct {
	file  *os.File
	lines *bufio.Reader
}

var errNoTerminal = errors.New("there is no terminal")

func openTerminal() (*terminal, error) {
	file, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	if !term.IsTerminal(int(file.Fd())) {
		_ = file.Close()
		return nil, errNoTerminal
	}
	return &terminal{file: file, lines: bufio.NewReader(file)}, nil
}
