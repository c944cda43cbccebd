package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// find checks -delete and -exec, depending on where the search starts and what
// limits it.
func (w *walker) find(inv invocation, s *state) error {
	starts, args := searchStarts(inv)
	deletes, narrow, loose := false, false, false
	for i := 0; i < len(args); i++ {
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
		case "--exec=rm", "--exec-batch=rm", "-x=rm", "-X=rm":
			deletes = true
		case "-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch":
			inner := findCommand(args[i+1:])
			i += len(inner)
			if len(inner) > 0 && metadataPrograms()[baseName(inner[0].text)] == "" && w.anyHomeTree(starts, s) {
				return errHomeTree
			}
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

// searchStarts returns the folders in which a search starts, and the arguments
// after them.
func searchStarts(inv invocation) (starts, rest []value) {
	i := 0
	for ; i < len(inv.args) && !strings.HasPrefix(inv.args[i].text, "-") && inv.args[i].text != "(" && inv.args[i].text != "!"; i++ {
		starts = append(starts, inv.args[i])
	}
	if inv.name != "find" { // fd: [PATTERN] [FOLDER...], options anywhere
		starts = fdFolders(inv.args)
	}
	if len(starts) == 0 {
		starts = []value{literal(".")}
	}
	return starts, inv.args[i:]
}

// fdFolders returns the folders that fd searches.
func fdFolders(args []value) []value {
	var operands []value
	for _, a := range args {
		if has("-x -X --exec --exec-batch", a.text) {
			break
		}
		if !strings.HasPrefix(a.text, "-") {
			operands = append(operands, a)
		}
	}
	if len(operands) < 2 {
		return nil
	}
	return operands[1:]
}

// anyHomeTree reports whether a search walks a tree that contains a home folder.
func (w *walker) anyHomeTree(starts []value, s *state) bool {
	for _, v := range starts {
		if w.isHomeTree(v, s) || (v.text == "." && w.inHomeTree(s)) {
			return true
		}
	}
	return false
}

func findCommand(args []value) []value {
	for i, a := range args {
		if a.text == ";" || a.text == "+" {
			return args[:i]
		}
	}
	return args
}

// findExec checks the command that -exec starts. {} stands for one found path.
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
				return false, verdict.Refuse(verdict.UnknownTarget, "the arguments of a removal by find are not known before the command runs: write them literally")
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

// findDeletes checks the trees in which a find removes files. A search of the
// workspace itself must be limited by a name, an age or a size.
func (w *walker) findDeletes(starts []value, s *state, narrow bool) error {
	for _, v := range starts {
		if narrow && !v.unknown() {
			places, ok := w.places(v, s)
			inside := ok
			for _, place := range places {
				inside = inside && w.inProject(place) && !slices.Contains(paths.Components(place), ".git")
			}
			if inside {
				continue
			}
		}
		if err := w.checkRemove(v, s, "removal by find"); err != nil {
			return err
		}
	}
	return nil
}
