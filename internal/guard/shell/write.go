package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

func (w *walker) writeAll(inv invocation, s *state) error {
	if inv.name == "mknod" {
		return verdict.Refuse(verdict.DiskTool, "making device files is refused: make a plain file with touch")
	}
	_, operands := looseOperands(inv.args)
	for _, v := range operands {
		if inv.name == "mkfifo" {
			w.pipes[baseName(v.text)] = true
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) dd(inv invocation, s *state) error {
	for _, a := range inv.args {
		if file, ok := strings.CutPrefix(a.pattern, "of="); ok {
			if err := w.checkWrite(value{text: file, pattern: file}, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// outputs checks -o FILE and similar options of programs without rules of their
// own.
func (w *walker) outputs(inv invocation, s *state) error {
	for i, a := range inv.args {
		name, value, attached := strings.Cut(a.text, "=")
		switch name {
		case "-o", "--output", "--out", "--outfile", "--output-file", "--output-document", "--output-dir", "--outdir", "-outform-file", "-keyout", "-out", "--dest", "--target-dir", "-d", "--directory", "-C", "--prefix", "--install-dir", "--log-file":
		default:
			continue
		}
		v := literal(value)
		if !attached {
			if i+1 >= len(inv.args) {
				continue
			}
			v = inv.args[i+1]
		}
		if !paths.IsAbs(v.text) && !strings.HasPrefix(v.text, ".") {
			continue
		}
		if (name == "-C" || name == "-d") && readers()[inv.name] != "" {
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	return nil
}

// editsInPlace checks sed -i, perl -i and similar options, with which every
// operand is written.
func (w *walker) editsInPlace(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	name, _ := interpreterFor(inv.name)
	inPlace := false
	switch name {
	case "gawk", "awk":
		inPlace = slices.ContainsFunc(inv.args, func(a value) bool { return a.text == "inplace" })
	case "sed", "gsed", "perl", "ruby", "yq":
		inPlace = hasFlag(options, "i", "--in-place", "--inplace")
	case "ed", "ex", "vi", "vim", "nvim", "nano", "emacs", "micro", "pico", "sponge", "gofmt", "prettier", "black":
		inPlace = true
	}
	if !inPlace {
		return nil
	}
	for _, v := range operands {
		if strings.ContainsAny(v.text, " \n;") {
			continue // a script
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) archive(inv invocation, s *state) error {
	if err := w.remoteShell(inv, s); err != nil {
		return err
	}
	if err := w.tarOptions(inv, s); err != nil {
		return err
	}
	for i, a := range inv.args {
		arg := a.text
		name, value, attached := strings.Cut(arg, "=")
		v := literal(value)
		switch {
		case attached && (name == "--directory" || name == "--output" || name == "--output-document" || name == "--output-dir" || name == "--file"):
		case i > 0 && takesTarget(inv.name, inv.args[i-1].text):
			v = a
		case inv.name == "curl" || inv.name == "wget" || strings.HasPrefix(arg, "-"):
			continue
		default:
			if inv.name != "unzip" && !isRemote(arg) {
				if err := w.readsTree(a, s); err != nil {
					return err
				}
			}
			continue
		}
		if v.text == "-" {
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	return nil
}

// tarOptions checks the first word of tar, which may be letters without a dash,
// and the option that keeps absolute names.
func (w *walker) tarOptions(inv invocation, s *state) error {
	if (inv.name != "tar" && inv.name != "bsdtar") || len(inv.args) == 0 {
		return nil
	}
	letters := strings.TrimPrefix(inv.args[0].text, "-")
	extracts := !strings.HasPrefix(letters, "-") && strings.ContainsRune(letters, 'x')
	for _, a := range inv.args {
		short := strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--")
		if (short && strings.ContainsRune(a.text, 'P') && len(a.text) < 8) || strings.HasPrefix(a.text, "--absolute-names") {
			return verdict.Refuse(verdict.SystemWrite, "absolute names in an archive can lead anywhere: leave the option out")
		}
	}
	if extracts && strings.ContainsRune(letters, 'P') {
		return verdict.Refuse(verdict.SystemWrite, "absolute names in an archive can lead anywhere: leave the option out")
	}
	if strings.ContainsAny(letters, "cru") && strings.HasSuffix(letters, "f") && len(inv.args) > 1 && !strings.HasPrefix(letters, "-") {
		return w.checkOutput(inv.args[1], s)
	}
	return nil
}

// takesTarget reports whether an option's next word is a path that is written.
func takesTarget(program, option string) bool {
	switch option {
	case "--output", "--output-document", "--output-dir", "--directory", "--dump-header", "--cookie-jar", "--trace", "--trace-ascii", "--directory-prefix", "--stderr":
		return true
	}
	if len(option) < 2 || option[0] != '-' || option[1] == '-' {
		return false
	}
	last := option[len(option)-1]
	switch program {
	case "curl":
		return last == 'o' || last == 'D' || last == 'c'
	case "wget":
		return last == 'O' || last == 'P' || last == 'o' || last == 'a'
	case "unzip":
		return last == 'd'
	case "tar", "bsdtar":
		return last == 'C' || (last == 'f' && strings.ContainsAny(option, "cru"))
	}
	return false
}

func (w *walker) search(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	if err := w.remoteShell(inv, s); err != nil {
		return err
	}
	recursive := hasFlag(options, "rRd", "--recursive", "--dereference-recursive", "--directories") || has("rg ag ack ugrep", inv.name)
	if !recursive {
		return nil
	}
	if w.inHomeTree(s) && (len(operands) < 2 || slices.ContainsFunc(operands[1:], func(v value) bool { return v.text == "." })) {
		return errHomeTree
	}
	if len(operands) > 0 && !hasFlag(options, "ef", "--regexp", "--file", "--files") {
		operands = operands[1:] // the pattern
	}
	for _, v := range operands {
		if err := w.readsTree(v, s); err != nil {
			return err
		}
	}
	return nil
}
