package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// network refuses shells at the end of a connection, and judges what ssh runs.
func (w *walker) network(inv invocation, s *state) error {
	switch inv.name {
	case "nc", "ncat", "netcat":
		for _, a := range inv.args {
			long := strings.HasPrefix(a.text, "--")
			if (long && (strings.Contains(a.text, "exec") || strings.HasPrefix(a.text, "--lua"))) ||
				(!long && strings.HasPrefix(a.text, "-") && strings.ContainsAny(a.text, "ec")) {
				return verdict.Refuse(verdict.ReverseShell, "a program at the end of a connection is a reverse shell")
			}
		}
	case "socat":
		for _, a := range inv.args {
			upper := strings.ToUpper(a.text)
			if strings.Contains(upper, "EXEC:") || strings.Contains(upper, "SYSTEM:") || strings.Contains(upper, "SHELL:") {
				return verdict.Refuse(verdict.ReverseShell, "a program at the end of a connection is a reverse shell")
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
				return verdict.Refuse(verdict.DownloadedCode, "a download must not be fed to a remote shell")
			}
			return nil
		}
		return w.nested(joinCode(rest), s.copy(), inv.in)
	}
	return nil
}

// terminal refuses typing into terminals, and judges what multiplexers start.
func (w *walker) terminal(inv invocation, s *state) error {
	for _, a := range inv.args {
		switch a.text {
		case "send-keys", "send", "send-prefix", "stuff", "paste-buffer", "pasteb", "pipe-pane", "write-chars", "write", "-X":
			return verdict.Refuse(verdict.Keystrokes, "typing into another terminal is refused")
		}
		if strings.Contains(a.text, " ") {
			if err := w.nested(a.text, s.copy(), input{}); err != nil {
				return err
			}
		}
	}
	return nil
}
