package edits

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// run records what a command writes, given its words.
func (w *walker) run(words []word) {
	if len(words) == 0 || !words[0].known {
		return
	}
	name, args := filepath.Base(words[0].text), words[1:]
	if rest, ok := wrapped(name, args); ok {
		w.run(rest)
		return
	}
	switch name {
	case "cd", "pushd", "popd":
		w.change(name, args)
	case "sh", "bash", "dash", "zsh", "ksh", "ash":
		w.shell(args)
	case "eval":
		w.evaluate(args)
	case "trap":
		if len(args) > 1 {
			w.evaluate(args[:1])
		}
	case "awk", "gawk":
		w.awk(args)
	case "apply_patch", "applypatch":
		w.applyPatch(args)
	case "git":
		w.git(args)
	case "cp", "install", "ln", "mv", "rsync", "scp":
		w.copies(name, args)
	case "dd":
		w.prefixed(args, "of=")
	case "patch":
		w.patchProgram(args)
	case "find":
		w.find(args)
	default:
		if p, ok := programs[name]; ok {
			w.program(p, args)
		}
	}
}

// wrappers start the program given as their operands. The value lists their
// options that take a value.
var wrappers = map[string]string{
	"sudo": "ugpCDhrtTU", "doas": "uC", "env": "uSC", "command": "", "builtin": "", "exec": "a", "nohup": "", "time": "fo",
	"npx": "p", "bunx": "", "uvx": "", "busybox": "", "nice": "n", "ionice": "cnp", "stdbuf": "ioe", "setsid": "", "timeout": "ks", "noglob": "", "nocorrect": "",
}

// wrapped returns the command that a wrapper starts.
func wrapped(name string, args []word) ([]word, bool) {
	valued, ok := wrappers[name]
	if !ok {
		return nil, false
	}
	rest := args
	for len(rest) > 0 && rest[0].known && strings.HasPrefix(rest[0].text, "-") {
		option := rest[0].text
		rest = rest[1:]
		if len(option) == 2 && strings.Contains(valued, option[1:]) && len(rest) > 0 {
			rest = rest[1:]
		}
	}
	if name == "env" || name == "sudo" {
		for len(rest) > 0 && rest[0].known && strings.Contains(rest[0].text, "=") {
			rest = rest[1:]
		}
	}
	if name == "timeout" && len(rest) > 0 {
		rest = rest[1:]
	}
	return rest, true
}

// program describes a program that writes its operands, or the values of
// options.
type program struct {
	valued string // short options with a value
	longs  string // long options with a value, which may be the next word
	// only are options, short or long, of which one is required for anything to be
	// written. With one of unless, nothing is written.
	only, unless []string
	// skip is the number of leading operands that are not files.
	skip int
	// script lists options that replace the operands counted by skip.
	script []string
	// outputs are options whose value is the file that is written, instead of the
	// operands.
	outputs []string
	below   bool // everything below an operand is written too
	// kinds are the extensions of the files that are written below an operand that
	// is a folder.
	kinds []string
}

var (
	inPlace  = []string{"w", "i", "write", "fix", "in-place"}
	goCode   = program{valued: "r", only: inPlace, kinds: []string{".go"}}
	shells   = program{valued: "i", only: []string{"w", "write"}, kinds: []string{".sh", ".bash"}}
	formats  = program{only: inPlace, longs: "config ignore-path parser style"}
	web      = program{only: inPlace, longs: "config ignore-path parser", kinds: strings.Fields(".js .jsx .mjs .cjs .ts .tsx .mts .cts .json .css .scss .less .html .vue .md .mdx .yaml .yml .graphql")}
	python   = program{valued: "ltC", unless: dry, kinds: []string{".py", ".pyi", ".ipynb"}}
	compress = program{valued: "S", unless: []string{"c", "stdout", "t", "test", "l", "list"}}
	editor   = program{valued: "cSuTs"}
	dry      = []string{"check", "diff", "check-only", "c"}
)

// programs are the programs whose arguments tell what they write. Other programs
// are not known.
var programs = map[string]program{
	"rm": {below: true}, "unlink": {}, "rmdir": {}, "shred": {valued: "ns"}, "truncate": {valued: "sr"}, "touch": {valued: "drt"},
	"tee": {}, "sponge": {}, "trash": {below: true}, "trash-put": {below: true}, "rimraf": {below: true},
	"sed":  {valued: "efl", longs: "expression file", only: []string{"i", "in-place"}, skip: 1, script: []string{"e", "f", "expression", "file"}},
	"gsed": {valued: "efl", longs: "expression file", only: []string{"i", "in-place"}, skip: 1, script: []string{"e", "f", "expression", "file"}},
	"perl": {valued: "eEIMm", only: []string{"i"}, skip: 1, script: []string{"e", "E"}},
	"ruby": {valued: "eIrC", only: []string{"i"}, skip: 1, script: []string{"e"}},
	"yq":   {valued: "op", only: []string{"i", "inplace"}, skip: 1},
	"sort": {valued: "kStT", outputs: []string{"o", "output"}},
	"curl": {valued: "XHdFuAebcmTUwxrCyYzEK", outputs: []string{"o", "output"}},
	"wget": {valued: "oaTtUQwP", outputs: []string{"O", "output-document"}},
	"ed":   editor, "ex": editor, "vi": editor, "vim": editor, "nvim": editor, "nano": editor, "emacs": editor,
	"gofmt": goCode, "gofumpt": goCode, "goimports": goCode, "prettier": web, "eslint": web, "clang-format": formats, "shfmt": shells,
	"black": python, "isort": python, "rustfmt": {unless: dry}, "dos2unix": {}, "unix2dos": {},
	"gzip": compress, "gunzip": compress, "bzip2": compress, "bunzip2": compress, "xz": compress, "unxz": compress,
}

func (w *walker) program(p program, args []word) {
	o := read(args, p.valued+strings.Join(shorts(p.outputs), ""), append(strings.Fields(p.longs), p.outputs...)...)
	if len(p.outputs) > 0 {
		for _, name := range p.outputs {
			for _, value := range o.options[name] {
				w.writeKnown(value, false)
			}
		}
		return
	}
	if p.only != nil && !slices.ContainsFunc(p.only, o.has) || slices.ContainsFunc(p.unless, o.has) {
		return
	}
	operands := o.operands
	if p.skip > 0 && !slices.ContainsFunc(p.script, o.has) {
		operands = operands[min(p.skip, len(operands)):]
	}
	for _, file := range operands {
		w.writeKnown(file, p.below)
		if file.known && isFolder(w.absolute(file.text)) {
			for _, kind := range p.kinds {
				w.write(file.text + "/**/*" + kind)
			}
		}
	}
}

// awk only writes files through an extension of GNU awk.
func (w *walker) awk(args []word) {
	o := read(args, "ivFfe", "include", "assign", "field-separator", "file", "source")
	included := append(slices.Clone(o.options["i"]), o.options["include"]...)
	if !slices.ContainsFunc(included, func(one word) bool { return one.text == "inplace" }) {
		return
	}
	w.program(program{valued: "ivFfe", longs: "include assign field-separator file source", skip: 1, script: []string{"f", "file", "e", "source"}}, args)
}

func shorts(names []string) (short []string) {
	for _, name := range names {
		if len(name) == 1 {
			short = append(short, name)
		}
	}
	return short
}

func (w *walker) writeKnown(file word, below bool) {
	if file.known && file.text != "" && file.text != "-" {
		w.note(file.text, below)
	}
}

// arguments holds the parsed arguments of a command.
type arguments struct {
	options  map[string][]word // by name, without dashes
	operands []word
}

func (a arguments) has(option string) bool { _, ok := a.options[option]; return ok }

// value returns the last value of an option.
func (a arguments) value(option string) (word, bool) {
	all := a.options[option]
	if len(all) == 0 {
		return word{}, false
	}
	return all[len(all)-1], true
}

// read parses arguments. valued are the short options with a value, and longs the
// long options whose value may be the next word.
func read(args []word, valued string, longs ...string) arguments {
	a := arguments{options: map[string][]word{}}
	for i := 0; i < len(args); i++ {
		text := args[i].text
		switch {
		case !args[i].known || text == "-" || !strings.HasPrefix(text, "-"):
			a.operands = append(a.operands, args[i])
		case text == "--":
			a.operands = append(a.operands, args[i+1:]...)
			return a
		case strings.HasPrefix(text, "--"):
			name, value, attached := strings.Cut(text[2:], "=")
			one := word{value, attached}
			if !attached && slices.Contains(longs, name) && i+1 < len(args) {
				i++
				one = args[i]
			}
			a.options[name] = append(a.options[name], one)
		default:
			i += a.short(text[1:], valued, args[i+1:])
		}
	}
	return a
}

// short parses a word of short options, and returns how many further words it
// used.
func (a arguments) short(letters, valued string, next []word) int {
	for i := range len(letters) {
		name := letters[i : i+1]
		if !strings.Contains(valued, name) {
			a.options[name] = append(a.options[name], word{letters[i+1:], true})
			continue
		}
		switch {
		case i+1 < len(letters):
			a.options[name] = append(a.options[name], word{letters[i+1:], true})
		case len(next) > 0:
			a.options[name] = append(a.options[name], next[0])
			return 1
		}
		return 0
	}
	return 0
}

// change implements cd.
func (w *walker) change(name string, args []word) {
	o := read(args, "")
	before := w.dir
	if name == "pushd" {
		w.pushed = append(w.pushed, w.dir)
	}
	switch last := len(w.pushed) - 1; {
	case name == "popd" && len(args) == 0 && last >= 0:
		w.dir, w.pushed = w.pushed[last], w.pushed[:last]
	case name == "popd" || len(o.operands) > 1 || len(o.operands) == 1 && !o.operands[0].known:
		w.dir = ""
	case len(o.operands) == 1 && o.operands[0].text == "-":
		w.dir = w.before
	case len(o.operands) == 0 && name == "cd":
		w.dir = w.home
	case len(o.operands) == 0:
		w.dir = ""
	default:
		w.dir = w.absolute(o.operands[0].text)
	}
	w.before = before
	delete(w.vars, "PWD")
	if dir := w.dir; dir != "" {
		w.vars["PWD"] = &dir
	}
}

// shell follows the script that a shell runs, from -c or its standard input.
func (w *walker) shell(args []word) {
	o := read(args, "oO", "rcfile", "init-file")
	script := ""
	switch {
	case o.has("c") && len(o.operands) > 0:
		script = o.operands[0].text // "" if it is not known
	case len(o.operands) == 0:
		script = w.input.text
	}
	outer := w.input
	if !o.has("c") {
		w.input = input{} // the script itself
	}
	w.apart(func() { w.script(script) })
	w.input = outer
}

func (w *walker) evaluate(args []word) {
	var words []string
	for _, arg := range args {
		if !arg.known {
			return
		}
		words = append(words, arg.text)
	}
	w.script(strings.Join(words, " "))
}

func (w *walker) applyPatch(args []word) {
	for _, arg := range args {
		if arg.known {
			w.patch(arg.text)
		}
	}
	w.patch(w.input.content())
}

// copies records the targets of copying, moving and linking, and the sources of
// moves.
func (w *walker) copies(name string, args []word) {
	o := read(args, "tSmoge", "target-directory", "suffix", "mode", "owner", "group", "rsh")
	files := o.operands
	into, given := o.value("t")
	if !given {
		into, given = o.value("target-directory")
	}
	if !given {
		if len(files) == 0 {
			return
		}
		if len(files) == 1 { // ln FILE creates the link in the current folder
			files = append(files, word{".", true})
		}
		into, files = files[len(files)-1], files[:len(files)-1]
	}
	if name == "install" && o.has("d") {
		files = nil
	}
	if name == "mv" {
		for _, file := range files {
			w.writeKnown(file, true)
		}
	}
	if !into.known || (name == "rsync" || name == "scp") && strings.Contains(into.text, ":") {
		return
	}
	folder := given || isFolder(w.absolute(into.text)) || strings.HasSuffix(into.text, "/")
	if !folder {
		w.write(into.text)
		return
	}
	for _, file := range files {
		switch {
		case !file.known:
		case strings.HasSuffix(file.text, "/.") || name == "rsync" && strings.HasSuffix(file.text, "/"):
			w.writeTree(into.text) // the content of the folder
		default:
			w.writeTree(into.text + "/" + filepath.Base(file.text))
		}
	}
}

func (w *walker) prefixed(args []word, start string) {
	for _, arg := range args {
		if path, ok := strings.CutPrefix(arg.text, start); ok && arg.known {
			w.write(path)
		}
	}
}

// patchProgram implements patch: it records the file given as an argument, or
// the files named in the patch.
func (w *walker) patchProgram(args []word) {
	o := read(args, "pidoBDFrYzV", "strip", "input", "directory", "output")
	if o.has("dry-run") {
		return
	}
	if len(o.operands) > 0 {
		w.writeKnown(o.operands[0], false)
		return
	}
	w.apart(func() {
		text := w.input.content()
		for _, name := range []string{"i", "input"} {
			if file, given := o.value(name); given {
				text = readFile(w.absolute(file.text))
			}
		}
		if dir, ok := o.value("d"); ok && dir.known {
			w.dir = w.absolute(dir.text)
		}
		w.diff(text, stripOf(o, baseOnly))
	})
}

// stripOf returns how many parts are stripped from the paths in a patch.
func stripOf(o arguments, usual int) int {
	for _, name := range []string{"p", "strip"} {
		if value, ok := o.value(name); ok && value.known {
			if n, err := strconv.Atoi(value.text); err == nil && n >= 0 && n < 100 {
				return n
			}
		}
	}
	return usual
}

// find writes if it deletes or starts a program that writes: files below the
// starting points that match one of the names.
func (w *walker) find(args []word) {
	names, writes := findTests(args)
	if !writes {
		return
	}
	var places []string
	for _, arg := range args {
		if !arg.known || strings.HasPrefix(arg.text, "-") || arg.text == "(" || arg.text == "!" {
			break
		}
		places = append(places, arg.text)
	}
	if len(places) == 0 {
		places = []string{"."}
	}
	for _, place := range places {
		if len(names) == 0 {
			w.writeTree(place)
			continue
		}
		for _, name := range names {
			w.write(place + "/**/" + name)
		}
	}
}

// findTests parses the tests and actions of find. It returns the names to which the
// result is restricted, or none if another test may extend it, and whether the files
// found are written.
func findTests(args []word) (names []string, writes bool) {
	either := false
	for i, arg := range args {
		if !arg.known {
			continue
		}
		switch arg.text {
		case "-delete":
			writes = true
		case "-exec", "-execdir", "-ok", "-okdir":
			if i+1 < len(args) {
				writes = writes || startsWriter(args[i+1:])
			}
		case "-name", "-iname":
			if i+1 < len(args) && args[i+1].known {
				names = append(names, args[i+1].text)
			}
		case "-o", "-or", "!", "-not", ",":
			either = true
		}
	}
	if either {
		return nil, writes
	}
	return names, writes
}

// startsWriter reports whether a command writes the file that it gets as {}.
func startsWriter(words []word) bool {
	var end []word
	for _, one := range words {
		if one.text == ";" || one.text == "+" {
			break
		}
		end = append(end, one)
	}
	probe := &walker{dir: "/", vars: map[string]*string{}}
	probe.run(end)
	return slices.ContainsFunc(probe.targets, func(t Target) bool { return strings.HasSuffix(t.Path, "{}") })
}
