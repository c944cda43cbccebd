package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// interpreter describes how a language takes code on its command line.
type interpreter struct {
	code   string // short letters whose value is code
	longs  string // long options whose value is code
	verbs  string // subcommands after which the next word is code
	module string // letters after which standard input is data
	first  bool   // the first operand is code (awk)
	file   string // with it, the first operand is not code
	valued string // short options that take the next word
}

var interpreters = map[string]*interpreter{
	"python": {code: "c", module: "m", valued: "-W -X"}, "pypy": {code: "c", module: "m", valued: "-W -X"}, "ipython": {code: "c"},
	"node": {code: "ep", longs: "--eval --print", valued: "-r -C"}, "nodejs": {code: "ep", longs: "--eval --print"},
	"deno": {verbs: "eval"}, "bun": {code: "ep", longs: "--eval --print"}, "tsx": {code: "ep", longs: "--eval"}, "ts-node": {code: "ep", longs: "--eval"},
	"perl": {code: "eE", valued: "-I"}, "ruby": {code: "e", valued: "-r -I -C"}, "php": {code: "rBRE", longs: "--run", valued: "-c -d -S -t"},
	"lua": {code: "e", valued: "-l"}, "luajit": {code: "e"}, "rscript": {code: "e"}, "julia": {code: "eE"}, "groovy": {code: "e"},
	"scala": {code: "e"}, "elixir": {code: "e"}, "raku": {code: "e"}, "guile": {code: "c"}, "tclsh": {}, "wish": {}, "irb": {}, "jshell": {}, "erl": {longs: "-eval"},
	"awk": {first: true, file: "f", valued: "-F -v"}, "gawk": {first: true, file: "f", valued: "-F -v"}, "mawk": {first: true, file: "f", valued: "-F -v"}, "nawk": {first: true, file: "f", valued: "-F -v"},
	"sed": {first: true, file: "fe", valued: ""}, "gsed": {first: true, file: "fe"}, "expect": {code: "c"}, "vim": {code: "c"}, "vi": {code: "c"}, "nvim": {code: "c"}, "ex": {code: "c"},
	"emacs": {longs: "--eval --execute"}, "gdb": {longs: "-ex --eval-command"}, "sqlite3": {longs: "-cmd"}, "ed": {},
}

// interpreterFor returns the interpreter for a program name, which may have a
// version: python3.12, lua5.4, perl5.
func interpreterFor(name string) (string, *interpreter) {
	base := strings.TrimRight(strings.ToLower(name), "0123456789.")
	if i := interpreters[strings.ToLower(name)]; i != nil {
		return strings.ToLower(name), i
	}
	return base, interpreters[base]
}

// checkInterpreter checks shells and languages: code in arguments is inspected,
// and code from a pipe is refused.
func (w *walker) checkInterpreter(inv invocation, s *state) error {
	if shells()[inv.name] != "" {
		return w.checkShell(inv, s)
	}
	name, lang := interpreterFor(inv.name)
	if lang == nil {
		return nil
	}
	codes, operand, isModule := lang.find(inv.args)
	for _, code := range codes {
		if code.computed || code.text == string(unknownMark) {
			return verdict.Refuse(verdict.UnknownCode, "the code is not known before the command runs: write it literally")
		}
		if err := w.inlineCode(name, code.text, s); err != nil {
			return err
		}
	}
	for i := range inv.args {
		if lang.first && readsInput(inv, i) {
			return verdict.Refuse(verdict.PipedCode, "%s must not read its code from a pipe or a substitution: put the code into a file", verdict.Short(inv.name))
		}
	}
	if len(codes) > 0 || isModule || lang.first || isAbout(inv.args) {
		return nil
	}
	return w.checkScript(inv, operand, func(text string) error { return w.inlineCode(name, text, s) })
}

func isAbout(args []value) bool {
	return len(args) == 1 && slices.Contains([]string{"--version", "-V", "-v", "--help", "-h", "version"}, args[0].text)
}

// find returns the code among the arguments, and the first operand.
func (lang *interpreter) find(args []value) (codes []value, operand *value, isModule bool) {
	fromFile := false
	for i := 0; i < len(args); i++ {
		arg := args[i].text
		switch {
		case arg == "--":
			continue
		case lang.longs != "" && has(lang.longs, arg) && i+1 < len(args):
			codes = append(codes, args[i+1])
			i++
		case strings.HasPrefix(arg, "--") || (lang.longs != "" && strings.HasPrefix(arg, "-e") && len(arg) > 3 && lang.code == ""):
			if name, code, ok := strings.Cut(arg, "="); ok && has(lang.longs, name) {
				codes = append(codes, literal(code))
			}
		case strings.HasPrefix(arg, "-M") && len(arg) > 2:
			continue // perl -MModule
		case strings.HasPrefix(arg, "-") && arg != "-":
			letters := lang.letters(args, i)
			codes = append(codes, letters.codes...)
			if letters.module {
				return codes, nil, true
			}
			fromFile = fromFile || letters.file
			i += letters.taken
		case lang.verbs != "" && operand == nil && has(lang.verbs, arg) && i+1 < len(args):
			return append(codes, args[i+1]), nil, false
		default:
			if operand == nil {
				operand = &args[i]
				if lang.first && !fromFile {
					codes = append(codes, args[i])
				}
			}
			if !lang.first && lang.code != "" && len(codes) == 0 {
				return codes, operand, false // the rest belongs to the script
			}
		}
	}
	return codes, operand, isModule
}

// letters is what the short options in one argument say.
type letters struct {
	codes        []value
	file, module bool // see interpreter
	taken        int  // how many further arguments belong to them
}

// letters reads the short options in the argument at i.
func (lang *interpreter) letters(args []value, i int) (o letters) {
	arg := args[i].text
	if strings.ContainsAny(arg[1:], lang.file) {
		o.file = true
		if at := strings.IndexByte(arg, 'e'); at > 0 && strings.Contains(lang.file, "e") {
			o.codes = append(o.codes, codeAt(args, i, arg[at+1:])...)
		}
	}
	if strings.ContainsAny(arg[1:], lang.module) && !strings.ContainsAny(arg[1:], lang.code) {
		o.module = true
		return o
	}
	if at := strings.IndexAny(arg[1:], lang.code); at >= 0 {
		o.codes = append(o.codes, codeAt(args, i, arg[at+2:])...)
		if arg[at+2:] == "" || isShortCluster(arg) {
			o.taken = 1
		}
	} else if has(lang.valued, arg) {
		o.taken = 1
	}
	return o
}

func isShortCluster(arg string) bool {
	return len(arg) <= 6 && verdict.IsKeyword(strings.TrimLeft(arg, "-"))
}

// codeAt returns the code attached to an option, and the next word, which is the
// code if nothing or only other letters are attached.
func codeAt(args []value, i int, attached string) []value {
	var out []value
	if attached != "" {
		out = append(out, literal(attached))
	}
	if (attached == "" || verdict.IsKeyword(attached)) && i+1 < len(args) {
		out = append(out, args[i+1])
	}
	return out
}

// checkScript checks where an interpreter gets its code from when no option gives
// it: a file, a here-document, or a pipe.
func (w *walker) checkScript(inv invocation, operand *value, inline func(string) error) error {
	fromInput := operand == nil || slices.Contains([]string{"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}, operand.text)
	if !fromInput {
		if operand.process || operand.computed {
			return verdict.Refuse(verdict.UnknownCode, "the script is not known before the command runs: name a file")
		}
		if w.downloads[baseName(operand.text)] || w.fetched {
			return errDownloaded
		}
		if w.pipes[baseName(operand.text)] {
			return verdict.Refuse(verdict.PipedCode, "%s must not read its code from a FIFO: put the code into a file", verdict.Short(inv.name))
		}
		return nil
	}
	switch inv.in.kind {
	case inputPipe:
		return verdict.Refuse(verdict.PipedCode, "%s must not read its code from a pipe or a substitution: put the code into a file", verdict.Short(inv.name))
	case inputText:
		if strings.ContainsRune(inv.in.text, unknownMark) && shells()[inv.name] != "" {
			return verdict.Refuse(verdict.UnknownCode, "the shell code is not known before the command runs: quote the here-document's delimiter")
		}
		return inline(inv.in.text)
	case inputFile:
		if inv.in.fetched {
			return errDownloaded
		}
	}
	return nil
}

var errDownloaded = verdict.Refuse(verdict.DownloadedCode, "running a file that the same command downloads is refused: read it first, then ask again")

// checkShell checks bash and other shells.
func (w *walker) checkShell(inv invocation, s *state) error {
	if isAbout(inv.args) || len(inv.args) == 2 && inv.args[0].text == "-n" && !strings.HasPrefix(inv.args[1].text, "-") {
		return nil // bash -n FILE checks the syntax and runs nothing
	}
	wantsCode, fromInput := false, false
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		arg := a.text
		if a.unknown() && a.loose {
			return verdict.Refuse(verdict.UnknownCode, "the shell's arguments are not known before the command runs: write them literally")
		}
		option := len(arg) > 1 && (arg[0] == '-' || arg[0] == '+')
		switch {
		case arg == "--rcfile" || arg == "--init-file":
			return verdict.Refuse(verdict.ShellSetting, "a start-up file for a shell is refused")
		case strings.HasPrefix(arg, "--"), arg == "-":
		case option:
			wantsCode = wantsCode || strings.ContainsRune(arg[1:], 'c') || strings.HasPrefix(arg, "-Command")
			fromInput = fromInput || strings.ContainsRune(arg[1:], 's')
			if last := arg[len(arg)-1]; last == 'o' || last == 'O' {
				i++
			}
		case wantsCode:
			if a.computed {
				return verdict.Refuse(verdict.UnknownCode, "the shell code is not known before the command runs: write it literally")
			}
			return w.nested(a.text, s.copy(), inv.in)
		case !fromInput:
			return w.checkScript(inv, &inv.args[i], nil)
		}
	}
	if wantsCode {
		return verdict.Refuse(verdict.UnknownCode, "-c needs shell code after it")
	}
	return w.checkScript(inv, nil, func(text string) error { return w.nested(text, s.copy(), input{}) })
}
