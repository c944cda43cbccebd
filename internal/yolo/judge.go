package yolo

import (
	"errors"
	"fmt"
	"strings"
)

// judge applies the rules of single programs, by base name. It is a switch and
// not a table because the rules call the walker again.
func (w *walker) judge(inv invocation, s *state) error {
	switch inv.name {
	case "rm", "rimraf", "trash", "del", "srm", "rmdir", "unlink", "shred":
		return w.remove(inv, s)
	case "chmod", "chown", "chgrp", "setfacl", "chcon":
		return w.changeRights(inv, s)
	case "mv", "cp", "install", "ln", "rsync", "scp", "link", "symlink":
		return w.copyOrMove(inv, s)
	case "tee", "touch", "mkdir", "truncate", "mknod", "mkfifo", "fallocate", "split", "csplit", "patch":
		return w.writeAll(inv, s)
	case "dd":
		return w.dd(inv, s)
	case "find", "fd", "fdfind":
		return w.find(inv, s)
	case "git":
		return w.git(inv, s)
	case "docker", "podman", "nerdctl", "docker-compose", "podman-compose", "kubectl", "oc":
		return w.container(inv, s)
	case "kill", "pkill", "killall", "skill", "snice":
		return w.kill(inv)
	case "pgrep", "pidof":
		return w.findsGuard(inv)
	case "cd", "pushd", "popd":
		return w.changeFolder(inv, s)
	case "source", ".":
		return w.source(inv)
	case "trap", "alias":
		return w.laterCode(inv, s)
	case "history", "fc", "set", "unset", "hash", "enable", "shopt", "export", "declare", "typeset", "local", "readonly":
		return w.shellSetting(inv)
	case "nc", "ncat", "netcat", "socat", "telnet", "ssh", "openssl":
		return w.network(inv, s)
	case "tmux", "screen", "zellij", "byobu":
		return w.terminal(inv, s)
	case "tar", "bsdtar", "zip", "unzip", "7z", "cpio", "rsnapshot", "curl", "wget", "aria2c":
		return w.archive(inv, s)
	case "grep", "egrep", "fgrep", "rg", "ag", "ack":
		return w.search(inv, s)
	}
	if why := w.machine(inv); why != "" {
		return fmt.Errorf("%s: this use is refused: %s", inv.name, why)
	}
	if err := w.outputs(inv, s); err != nil {
		return err
	}
	if err := w.editsInPlace(inv, s); err != nil {
		return err
	}
	return w.checkInterpreter(inv, s)
}

func (w *walker) remove(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	recursive := hasFlag(options, "rR", "--recursive") || inv.name == "rimraf" || inv.name == "trash"
	if hasFlag(options, "", "--no-preserve-root") {
		return errors.New("--no-preserve-root is refused")
	}
	unknown := 0
	for _, v := range append(options, operands...) {
		if v.unknown() && v.loose {
			return errors.New("removal needs targets that can be known: quote the variable, or write the path literally")
		}
	}
	for _, v := range operands {
		if v.unknown() {
			unknown++
		}
		if recursive {
			if err := w.checkRemove(v, s, "recursive removal"); err != nil {
				return err
			}
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
		if v.unknown() || inv.name == "rmdir" {
			continue
		}
		places, _ := w.places(v, s)
		for _, place := range places {
			if w.matchesKept(place) {
				return errors.New("removing the workspace, a home folder or a parent of one is refused")
			}
		}
	}
	if unknown > 1 {
		return errors.New("removal needs targets that can be known: one of these could be an option")
	}
	return nil
}

func (w *walker) changeRights(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	recursive := hasFlag(options, "R", "--recursive")
	for i, v := range append(options, operands...) {
		if i < len(options) && !strings.Contains(v.text, "s") {
			continue
		}
		if inv.name == "chmod" && setsID(v.text) {
			return errors.New("setting the set-user-ID bit is refused")
		}
	}
	for i, v := range operands {
		if i == 0 && inv.name != "setfacl" {
			continue // the mode or the owner
		}
		if recursive {
			if err := w.checkRemove(v, s, "changing rights of a tree"); err != nil {
				return err
			}
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	if recursive && len(operands) > 0 && inv.name != "setfacl" {
		// chmod -R -x DIR: the mode looked like an option.
		if v := operands[0]; isAbs(v.text) || v.text == "." || strings.HasPrefix(v.text, "..") || strings.HasPrefix(v.text, "*") {
			return w.checkRemove(v, s, "changing rights of a tree")
		}
	}
	return nil
}

// setsID recognises u+s, g=xs, 4755 and 06755.
func setsID(mode string) bool {
	if digits := strings.TrimLeft(mode, "0"); isDigits(mode) {
		return len(digits) == 4 && digits[0] >= '2' && digits[0] <= '7' && digits[0] != '1'
	}
	at := strings.IndexAny(mode, "+=")
	return at >= 0 && at < 5 && strings.ContainsRune(mode[at:], 's')
}

func (w *walker) copyOrMove(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	recursive := hasFlag(options, "rRa", "--recursive", "--archive")
	for i, a := range inv.args {
		mode, isMode := strings.CutPrefix(a.text, "--mode=")
		if i > 0 && (inv.args[i-1].text == "-m" || inv.args[i-1].text == "--mode") {
			mode, isMode = a.text, true
		}
		if inv.name == "install" && isMode && setsID(mode) {
			return errors.New("setting the set-user-ID bit is refused")
		}
		if (a.text == "-t" || a.text == "--target-directory") && i+1 < len(inv.args) {
			operands = append(operands, inv.args[i+1])
		} else if dir, ok := strings.CutPrefix(a.text, "--target-directory="); ok {
			operands = append(operands, literal(dir))
		}
	}
	for i, v := range operands {
		last := i == len(operands)-1
		if isRemote(v.text) {
			continue
		}
		if last && (len(operands) > 1 || inv.name == "ln") {
			if err := w.checkWrite(v, s); err != nil {
				return err
			}
			if inv.name == "mv" && v.text == "/dev/null" {
				return errors.New("moving to a device is refused")
			}
			if inv.name == "rsync" && hasFlag(options, "", "--delete", "--delete-after", "--delete-before", "--delete-excluded", "--delete-during") {
				if err := w.checkRemove(v, s, "a copy that deletes"); err != nil {
					return err
				}
			}
			continue
		}
		if err := w.checkSource(inv.name, v, s, recursive); err != nil {
			return err
		}
	}
	return w.remoteShell(inv, s)
}

// checkSource judges what is moved, linked or copied.
func (w *walker) checkSource(name string, v value, s *state, recursive bool) error {
	switch name {
	case "mv":
		places, _ := w.places(v, s)
		for _, place := range places {
			parts := components(foldPath(place))
			if place == "/" || len(parts) == 1 || contains(parts, ".git") && len(parts) > 0 && parts[len(parts)-1] == ".git" || w.matchesKept(place) {
				return errors.New("moving the root, a top-level folder, a home, the workspace or .git is refused")
			}
		}
		return w.checkWrite(v, s)
	case "ln":
		places, _ := w.places(v, s)
		for _, place := range places {
			if !v.unknown() && (place == "/" || len(components(place)) == 1 || w.matchesKept(place)) {
				return errors.New("a link to the root, a home or the workspace is refused")
			}
		}
		return nil
	}
	if recursive {
		return w.readsTree(v, s)
	}
	return nil
}

// readsTree refuses reading a whole tree that holds secrets.
func (w *walker) readsTree(v value, s *state) error {
	if v.unknown() {
		return nil
	}
	places, _ := w.places(v, s)
	for _, place := range places {
		if !hasGlob(place) && w.g.secrets.below(unescapeGlob(place)) {
			return fmt.Errorf("secrets lie below %s: name a narrower folder", short(v.text))
		}
		if dir, rest := splitGlob(place); len(rest) == 1 && isBroad(rest[0]) && w.g.secrets.below(cleanPath(dir)) {
			return fmt.Errorf("secrets lie below %s: name a narrower folder", short(v.text))
		}
	}
	return nil
}

func isRemote(text string) bool {
	host, _, ok := strings.Cut(text, ":")
	return ok && host != "" && !strings.Contains(host, "/")
}

// remoteShell judges options whose value is a command.
func (w *walker) remoteShell(inv invocation, s *state) error {
	for i, a := range inv.args {
		code, ok := "", false
		if name, value, attached := strings.Cut(a.text, "="); attached && commandOptions[name] {
			code, ok = value, true
		}
		if commandOptions[a.text] && i+1 < len(inv.args) {
			code, ok = inv.args[i+1].text, true
		}
		if a.text == "-e" && inv.name == "rsync" && i+1 < len(inv.args) {
			code, ok = inv.args[i+1].text, true
		}
		if _, value, proxy := strings.Cut(a.text, "Command="); proxy {
			code, ok = value, true
		}
		code = strings.TrimPrefix(code, "exec=")
		if !ok || code == "" {
			continue
		}
		if err := w.nested(code, s.copy(), input{kind: inputPipe}); err != nil {
			return fmt.Errorf("option %s runs a command: %w", short(a.text), err)
		}
	}
	return nil
}

// commandOptions take a command, whatever the program.
var commandOptions = map[string]bool{
	"--rsh": true, "--rsync-path": true, "--to-command": true, "--checkpoint-action": true, "--use-compress-program": true,
	"--info-script": true, "--new-volume-script": true, "--rmt-command": true, "--rsh-command": true, "--unzip-command": true,
	"-TT": true, "--upload-pack": true, "--receive-pack": true, "--exec": true, "--pre": true, "--hostname-bin": true,
}

func (w *walker) writeAll(inv invocation, s *state) error {
	if inv.name == "mknod" {
		return errors.New("making device files is refused")
	}
	_, operands := looseOperands(inv.args)
	for _, v := range operands {
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

// outputs judges -o FILE and its relatives for programs without rules of their own.
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
		if !isAbs(v.text) && !strings.HasPrefix(v.text, ".") {
			continue
		}
		if (name == "-C" || name == "-d") && readers[inv.name] != "" {
			continue
		}
		if err := w.checkWrite(v, s); err != nil {
			return err
		}
	}
	return nil
}

// editsInPlace judges sed -i, perl -i and their like: every operand is written.
func (w *walker) editsInPlace(inv invocation, s *state) error {
	options, operands := looseOperands(inv.args)
	name, _ := interpreterFor(inv.name)
	inPlace := false
	switch name {
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

// takesTarget reports whether an option's next word is written.
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
	recursive := hasFlag(options, "rR", "--recursive", "--dereference-recursive") || inv.name == "rg" || inv.name == "ag" || inv.name == "ack"
	if !recursive || len(operands) < 2 {
		return nil
	}
	for _, v := range operands[1:] {
		if err := w.readsTree(v, s); err != nil {
			return err
		}
	}
	return nil
}
