package yolo

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// find judges -delete and -exec by where the search starts and what narrows it.
func (w *walker) find(inv invocation, s *state) error {
	var starts []value
	deletes, narrow, loose := false, false, false
	args := inv.args
	i := 0
	for ; i < len(args) && !strings.HasPrefix(args[i].text, "-") && args[i].text != "(" && args[i].text != "!"; i++ {
		starts = append(starts, args[i])
	}
	if inv.name != "find" {
		starts = nil
	}
	if len(starts) == 0 {
		starts = []value{literal(".")}
	}
	for ; i < len(args); i++ {
		switch arg := args[i].text; arg {
		case "-delete":
			deletes = true
		case "-o", "-or", ",", "-not", "!":
			loose = true
		case "-name", "-iname", "-path", "-ipath", "-wholename", "-regex", "-iregex", "-lname":
			narrow = narrow || (i+1 < len(args) && !isBroad(args[i+1].text) && !args[i+1].unknown())
			i++
		case "-fprint", "-fprint0", "-fls", "-fprintf":
			if i+1 < len(args) {
				if err := w.checkWrite(args[i+1], s); err != nil {
					return err
				}
			}
		case "-empty", "-size", "-mtime", "-mmin", "-atime", "-amin", "-ctime", "-cmin", "-newer", "-user", "-perm":
			narrow = narrow || arg == "-empty" || arg == "-mtime" || arg == "-size"
		case "-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch":
			inner := findCommand(args[i+1:])
			i += len(inner)
			removes, err := w.findExec(inner, s, inv)
			if err != nil {
				return err
			}
			deletes = deletes || removes
		}
	}
	if !deletes {
		return nil
	}
	return w.findDeletes(starts, s, narrow && !loose)
}

func findCommand(args []value) []value {
	for i, a := range args {
		if a.text == ";" || a.text == "+" {
			return args[:i]
		}
	}
	return args
}

// findExec judges what -exec starts: {} stands for one found path.
func (w *walker) findExec(inner []value, s *state, inv invocation) (removes bool, err error) {
	if len(inner) == 0 {
		return false, nil
	}
	argv := make([]value, 0, len(inner))
	for _, v := range inner {
		if strings.Contains(v.text, "{}") {
			v.text = strings.ReplaceAll(v.text, "{}", string(unknownMark))
			v.pattern = strings.ReplaceAll(v.pattern, "{}", string(unknownMark))
		}
		argv = append(argv, v)
	}
	name := baseName(inner[0].text)
	switch name {
	case "rm", "shred", "unlink", "rmdir", "chmod", "chown", "chgrp", "mv", "truncate", "rimraf", "trash":
		for _, v := range inner[1:] {
			if v.unknown() {
				return false, errors.New("find with a removal needs arguments that can be known")
			}
		}
		for _, v := range inner[1:] {
			if strings.Contains(v.text, "{}") || strings.HasPrefix(v.text, "-") {
				continue
			}
			if name == "rm" {
				if err := w.checkRemove(v, s, "removal"); err != nil {
					return false, err
				}
			}
		}
		if name == "mv" {
			return true, w.checkWrite(inner[len(inner)-1], s)
		}
		return true, nil
	}
	return false, w.run(argv, s.copy(), invocation{in: input{}, stmt: inv.stmt, outer: append(inv.outer, "find")})
}

// findDeletes judges the trees that a removing find walks. A search of the
// workspace itself must be narrowed by a name, an age or a size.
func (w *walker) findDeletes(starts []value, s *state, narrow bool) error {
	for _, v := range starts {
		if narrow && !v.unknown() {
			places, ok := w.places(v, s)
			inside := ok
			for _, place := range places {
				inside = inside && w.inProject(place) && !contains(components(place), ".git")
			}
			if inside {
				continue
			}
		}
		if err := w.checkRemove(v, s, "find with a removal"); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) kill(inv invocation) error {
	pattern := false
	for i, a := range inv.args {
		arg := a.text
		if inv.name != "kill" {
			switch {
			case killsUsers(arg):
				return errors.New("killing by user, group or terminal, or by exclusion, is refused: name one process")
			case !strings.HasPrefix(arg, "-"):
				pattern = true
				if isBroad(arg) || len(strings.Trim(arg, ".*^$")) < 2 || a.unknown() || strings.Contains(strings.ToLower(arg), "bridge") {
					return errors.New("this pattern would kill too much, or the guard itself: name one process")
				}
			}
			continue
		}
		switch {
		case arg == "$PPID" || arg == "0" || arg == "1":
			return errors.New("killing the guard, init or the whole group is refused")
		case arg == "-1" && (i > 0 || len(inv.args) == 1):
			return errors.New("kill -1 ends every process: name one process")
		}
	}
	if inv.name != "kill" && !pattern {
		return errors.New("name one process")
	}
	return nil
}

// findsGuard refuses looking up the guard's own process where something is killed.
func (w *walker) findsGuard(inv invocation) error {
	for _, a := range inv.args {
		if w.kills && (strings.Contains(strings.ToLower(a.text), "bridge") || isBroad(a.text)) {
			return errors.New("killing the guard, or everything, is refused: name one process")
		}
	}
	return nil
}

func killsUsers(arg string) bool {
	switch arg {
	case "-u", "-U", "-G", "-g", "-t", "-s", "-v", "--euid", "--uid", "--user", "--group", "--pgroup", "--terminal", "--session", "--inverse", "--parent", "-P", "-fu", "-9u":
		return true
	}
	for _, long := range []string{"--euid=", "--uid=", "--user=", "--group=", "--pgroup=", "--terminal=", "--session="} {
		if strings.HasPrefix(arg, long) {
			return true
		}
	}
	return len(arg) > 2 && strings.HasPrefix(arg, "-u")
}

// changeFolder follows cd, so that relative targets are judged where they are.
func (w *walker) changeFolder(inv invocation, s *state) error {
	_, operands := looseOperands(inv.args)
	target := literal(w.g.home)
	switch {
	case inv.name == "popd", len(operands) > 0 && operands[0].text == "-", inv.name == "pushd" && len(operands) == 0:
		s.dirs = union(s.dirs, s.visited)
		if len(s.dirs) > 0 {
			s.dirs = union(s.dirs, []string{w.g.workspace.lexical})
		}
		return nil
	case len(operands) > 0:
		target = operands[0]
	}
	if target.unknown() || target.glob {
		s.dirs = nil
		return nil
	}
	var next []string
	places, ok := w.places(target, s)
	if !ok {
		s.dirs = nil
		return nil
	}
	for _, place := range places {
		place = unescapeGlob(place)
		next = append(next, place)
		if actual, err := resolve(w.g.fs, place); err == nil && actual != place {
			next = append(next, actual)
		}
	}
	s.dirs = union(next, nil)
	s.visited = union(s.visited, next)
	return nil
}

func (w *walker) source(inv invocation) error {
	if len(inv.args) == 0 {
		return nil
	}
	a := inv.args[0]
	switch {
	case a.process || a.computed:
		return errors.New("sourcing text that cannot be known is refused: name a file")
	case w.downloads[baseName(a.text)] || w.fetched:
		return errDownloaded
	case strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/"):
		return errors.New("sourcing from a pipe is refused: name a file")
	}
	return nil
}

// laterCode judges the text that trap and alias keep for later.
func (w *walker) laterCode(inv invocation, s *state) error {
	for i, a := range inv.args {
		code := a.text
		if inv.name == "alias" {
			_, code, _ = strings.Cut(a.text, "=")
		} else if i > 0 || code == "-" || strings.HasPrefix(code, "-") {
			continue
		}
		if code == "" {
			continue
		}
		if err := w.nested(code, s.copy(), input{}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) shellSetting(inv invocation) error {
	for i, a := range inv.args {
		name, _, _ := strings.Cut(a.text, "=")
		switch {
		case inv.name == "history" && strings.HasPrefix(a.text, "-"):
			return errors.New("tampering with history is refused")
		case inv.name == "set" && a.text == "history" && i > 0:
			return errors.New("tampering with history is refused")
		case inv.name == "hash" && strings.HasPrefix(a.text, "-p"), inv.name == "enable" && strings.HasPrefix(a.text, "-"):
			return errors.New("changing what a name means is refused")
		case inv.name != "set" && refusedVariables[name] != "":
			return fmt.Errorf("changing %s is refused: %s", name, refusedVariables[name])
		}
	}
	return nil
}

// network refuses shells at the end of a connection, and judges what ssh runs.
func (w *walker) network(inv invocation, s *state) error {
	switch inv.name {
	case "nc", "ncat", "netcat":
		for _, a := range inv.args {
			long := strings.HasPrefix(a.text, "--")
			if (long && (strings.Contains(a.text, "exec") || strings.HasPrefix(a.text, "--lua"))) ||
				(!long && strings.HasPrefix(a.text, "-") && strings.ContainsAny(a.text, "ec")) {
				return errors.New("a program at the end of a connection is a reverse shell")
			}
		}
	case "socat":
		for _, a := range inv.args {
			upper := strings.ToUpper(a.text)
			if strings.Contains(upper, "EXEC:") || strings.Contains(upper, "SYSTEM:") || strings.Contains(upper, "SHELL:") {
				return errors.New("a program at the end of a connection is a reverse shell")
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
				return errors.New("a download must not be fed to a remote shell")
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
			return errors.New("typing into another terminal is refused")
		}
		if strings.Contains(a.text, " ") {
			if err := w.nested(a.text, s.copy(), input{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// machine judges programs that may look at the machine, not change it.
func (w *walker) machine(inv invocation) string {
	options, operands := looseOperands(inv.args)
	verb := ""
	if len(operands) > 0 {
		verb = operands[0].text
	}
	switch inv.name {
	case "systemctl", "rc-service", "initctl", "loginctl", "sv", "s6-svc":
		if !has("status is-active is-enabled is-failed show cat list-units list-unit-files list-timers list-sockets list-dependencies get-default list-sessions show-environment list-jobs", verb) && verb != "" {
			return "services are only looked at"
		}
	case "service":
		if len(operands) > 1 && operands[1].text != "status" {
			return "services are only looked at"
		}
	case "sysctl":
		for _, a := range inv.args {
			if strings.Contains(a.text, "=") || a.text == "-w" || a.text == "-p" || a.text == "--system" || a.text == "--write" || a.text == "--load" {
				return "it changes the kernel"
			}
		}
	case "ip":
		for _, a := range operands {
			if has("add del delete set flush replace change append up down exec", a.text) {
				return "it changes the network"
			}
		}
	case "ifconfig", "route", "iwconfig", "nmcli", "networksetup", "scutil", "resolvectl":
		for _, a := range operands {
			if has("up down add del delete modify connect disconnect off on", a.text) {
				return "it changes the network"
			}
		}
	case "date":
		if hasFlag(options, "s", "--set") {
			return "it sets the clock"
		}
	case "hostnamectl", "timedatectl", "localectl":
		if strings.HasPrefix(verb, "set") {
			return "it changes the machine"
		}
	case "journalctl":
		for _, a := range inv.args {
			if strings.HasPrefix(a.text, "--vacuum") || a.text == "--rotate" || a.text == "--flush" {
				return "it removes logs"
			}
		}
	case "dmesg":
		if hasFlag(options, "cCnDE", "--clear", "--read-clear") {
			return "it removes logs"
		}
	case "swift", "security", "defaults", "csrutil", "spctl", "tccutil", "nvram", "pmset":
		if inv.name != "swift" && verb != "" && verb != "read" {
			return "it changes the machine"
		}
	case "logrotate", "utmpdump", "lastlog":
		return "it changes logs"
	}
	return ""
}

// container refuses what hands the host to a container.
func (w *walker) container(inv invocation, s *state) error {
	if last := len(inv.args) - 1; inv.in.fetched && last >= 0 && shells[baseName(inv.args[last].text)] != "" {
		return errors.New("a download must not be fed to a shell in a container")
	}
	if strings.Contains(inv.in.text, "hostPath") || strings.Contains(inv.in.text, "hostPID") || strings.Contains(inv.in.text, "privileged: true") {
		return errors.New("a pod with the host's files or processes is refused")
	}
	for i, a := range inv.args {
		arg := a.text
		name, value, attached := strings.Cut(arg, "=")
		if !attached && i+1 < len(inv.args) {
			value = inv.args[i+1].text
		}
		switch name {
		case "--privileged", "--device", "--cap-add", "--device-cgroup-rule":
			return fmt.Errorf("%s hands the host to the container", name)
		case "--pid", "--userns", "--ipc", "--uts", "--cgroupns":
			if value == "host" {
				return fmt.Errorf("%s=host hands the host to the container", name)
			}
		case "--security-opt":
			if strings.Contains(value, "unconfined") || strings.Contains(value, "disable") {
				return errors.New("switching off the container's confinement is refused")
			}
		case "-v", "--volume", "--mount", "--volumes", "-V":
			if err := w.mountOf(value, s); err != nil {
				return err
			}
		}
		if strings.HasPrefix(arg, "-v") && len(arg) > 2 && !strings.HasPrefix(arg, "--") {
			if err := w.mountOf(arg[2:], s); err != nil {
				return err
			}
		}
		if strings.Contains(arg, "hostPath") || strings.Contains(arg, `"privileged"`) || strings.Contains(arg, "hostPID") {
			return errors.New("a pod with the host's files or processes is refused")
		}
	}
	return nil
}

// mountOf judges the host's side of a bind mount.
func (w *walker) mountOf(spec string, s *state) error {
	source, _, _ := strings.Cut(spec, ":")
	for field := range strings.SplitSeq(spec, ",") {
		name, value, _ := strings.Cut(field, "=")
		if name == "source" || name == "src" {
			source = value
		}
	}
	v := literal(w.g.untilde(source))
	if !isAbs(v.text) && !strings.HasPrefix(v.text, ".") && !strings.ContainsRune(v.text, unknownMark) {
		return nil // a named volume
	}
	if v.unknown() && strings.IndexByte(v.text, '\x00') == 0 {
		return errors.New("a mount needs a source that can be known: write it literally")
	}
	places, ok := w.places(v, s)
	if !ok {
		return errors.New("a mount needs a source that can be known: write an absolute path")
	}
	for _, place := range places {
		if w.inProject(place) {
			continue
		}
		if w.isSecret(place) || w.g.secrets.below(place) || w.unwritable(place) != "" || within(w.g.workspace.lexical, place) || len(components(path.Clean(place))) == 1 {
			return errors.New("mounting the host's own folders into a container is refused: mount a folder of the workspace")
		}
	}
	return nil
}
