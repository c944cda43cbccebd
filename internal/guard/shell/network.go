package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// network refuses programs that serve a connection, such as reverse shells, and
// checks what ssh runs.
func (w *walker) network(inv invocation, s *state) error {
	switch inv.name {
	case "nc", "ncat", "netcat":
		for _, a := range inv.args {
			long := strings.HasPrefix(a.text, "--")
			if (long && (strings.Contains(a.text, "exec") || strings.HasPrefix(a.text, "--lua"))) ||
				(!long && strings.HasPrefix(a.text, "-") && strings.ContainsAny(a.text, "ec")) {
				return verdict.Refuse(verdict.ReverseShell, "a program attached to a network connection is a reverse shell")
			}
		}
	case "socat":
		for _, a := range inv.args {
			upper := strings.ToUpper(a.text)
			if strings.Contains(upper, "EXEC:") || strings.Contains(upper, "SYSTEM:") || strings.Contains(upper, "SHELL:") {
				return verdict.Refuse(verdict.ReverseShell, "a program attached to a network connection is a reverse shell")
			}
			if _, file, ok := strings.Cut(a.text, ":"); ok {
				if err := w.checkSecret(literal(file), s); err != nil {
					return err
				}
			}
		}
	case "ssh":
		return w.ssh(inv, s)
	}
	return w.outputs(inv, s)
}

func (w *walker) ssh(inv invocation, s *state) error {
	if err := w.remoteShell(inv, s); err != nil {
		return err
	}
	const valued = "-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w -B"
	for i := 0; i < len(inv.args); i++ {
		arg := inv.args[i].text
		if strings.HasPrefix(arg, "-") {
			if has(valued, arg) {
				i++
			}
			continue
		}
		rest := inv.args[i+1:]
		if len(rest) == 0 {
			if inv.in.kind == inputPipe && inv.in.fetched {
				return verdict.Refuse(verdict.DownloadedCode, "a download must not be piped into a remote shell")
			}
			return nil
		}
		return w.nested(joinCode(rest), s.copy(), inv.in)
	}
	return nil
}

// runningTerminal are the subcommands that make the running server of a terminal
// multiplexer, which is not part of this command, start or change something.
const runningTerminal = "run-shell run if-shell if new-window neww split-window splitw respawn-pane respawnp respawn-window respawnw display-popup popup display-menu menu confirm-before confirm command-prompt set-hook bind-key bind source-file source set-option set set-window-option setw set-environment setenv pipe-pane pipep send-keys send send-prefix paste-buffer pasteb load-buffer loadb action plugin pipe exec edit"

// terminal refuses typing into terminals and running something in an existing
// one, and checks what a new session starts.
func (w *walker) terminal(inv invocation, s *state) error {
	verb := true
	for i, a := range inv.args {
		switch {
		case has("send-keys send send-prefix stuff paste-buffer pasteb pipe-pane write-chars write -X", a.text):
			return verdict.Refuse(verdict.Keystrokes, "typing into another terminal is refused")
		case a.text == ";" || strings.HasSuffix(a.text, ";"):
			verb = true
			continue
		case i > 0 && has("-L -S -f -T", inv.args[i-1].text):
			continue // options of tmux before the subcommand
		case verb && !strings.HasPrefix(a.text, "-"):
			verb = false
			if startsInRunning(inv.name, a.text) {
				return verdict.Refuse(verdict.Keystrokes, "%s would run it in an existing terminal, outside of this command: run the command directly", verdict.Short(a.text))
			}
		}
		if i == len(inv.args)-1 && a.unknown() && !(i > 0 && has("-s -n -t -S -L", inv.args[i-1].text)) {
			return verdict.Refuse(verdict.UnknownCommand, "the program that %s starts is not known before the command runs: write it literally", inv.name)
		}
		if strings.Contains(a.text, " ") {
			if err := w.nested(a.text, s.copy(), input{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// startsInRunning reports whether a word is one of these subcommands, or an
// abbreviation that tmux accepts.
func startsInRunning(name, verb string) bool {
	if name == "screen" {
		return false // screen sends a command with -X
	}
	for word := range strings.FieldsSeq(runningTerminal) {
		if word == verb || len(verb) > 3 && strings.Contains(word, "-") && strings.HasPrefix(word, verb) {
			return true
		}
	}
	return false
}
