package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// envFolder changes the folder as "env --chdir FOLDER" does.
func (w *walker) envFolder(inv invocation, s *state) error {
	if inv.name != "env" {
		return nil
	}
	for i, a := range inv.args {
		if (a.text == "-C" || a.text == "--chdir") && i+1 < len(inv.args) {
			if err := w.changeFolder(invocation{name: "cd", args: inv.args[i+1 : i+2]}, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// unwrap finds the command that a wrapper starts, and checks it.
func (w *walker) unwrap(wrap *wrapper, s *state, inv invocation) error {
	if inv.name == "exec" && inv.stmt != nil && len(inv.stmt.Redirs) > 0 {
		return verdict.Refuse(verdict.ExecRedirection, "exec with a redirection is refused: redirect a single command instead")
	}
	if !shellWrapper(inv.name) {
		s = s.copy()
	}
	if wrap.verb != "" || wrap.joined || inv.name == "entr" || inv.name == "watchexec" {
		if err := w.embedded(inv, s); err != nil {
			return err
		}
	}
	if err := w.envFolder(inv, s); err != nil {
		return err
	}
	rest, holder, done, err := w.wrapperOptions(wrap, s, inv)
	if err != nil || done {
		return err
	}
	for _, a := range inv.args[:len(inv.args)-len(rest)] {
		if err := w.checkSecret(a, s); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		if wrap.joined && wrap.feeds {
			return verdict.Refuse(verdict.UnknownCode, "%s would run the lines it reads: name the command", inv.name)
		}
		return nil
	}
	in := inv.in
	if wrap.feeds {
		rest, in = feed(rest, holder), input{}
	}
	if wrap.joined {
		return w.nested(joinCode(rest), s, in)
	}
	outer := append(append([]string(nil), inv.outer...), inv.name)
	return w.run(rest, s, invocation{in: in, stmt: inv.stmt, outer: outer})
}

// shellWrapper reports whether the inner command runs in the same shell.
func shellWrapper(name string) bool { return name == "command" || name == "builtin" || name == "exec" }

// feed marks the arguments that come from standard input: in place of the
// placeholder, or at the end.
func feed(argv []value, holder string) []value {
	out := make([]value, 0, len(argv)+1)
	marked := false
	for _, v := range argv {
		if holder != "" && strings.Contains(v.text, holder) {
			v.text = strings.ReplaceAll(v.text, holder, string(unknownMark))
			v.pattern = strings.ReplaceAll(v.pattern, holder, string(unknownMark))
			v.computed, marked = true, true
		}
		out = append(out, v)
	}
	if !marked {
		out = append(out, value{text: string(unknownMark), pattern: string(unknownMark), computed: true})
	}
	return out
}

// joinCode joins words into shell text. An unknown part becomes a variable that
// is never set.
func joinCode(argv []value) string {
	words := make([]string, len(argv))
	for i, v := range argv {
		words[i] = strings.ReplaceAll(v.text, string(unknownMark), `"$BRIDGE_UNKNOWN"`)
	}
	return strings.Join(words, " ")
}

// wrapperOptions skips a wrapper's own options and operands. done means that the
// wrapper starts nothing.
func (w *walker) wrapperOptions(wrap *wrapper, s *state, inv invocation) (rest []value, holder string, done bool, err error) {
	args, operands, verb := inv.args, wrap.operands, wrap.verb
	for len(args) > 0 {
		a := args[0]
		if a.unknown() && a.loose {
			return nil, "", false, verdict.Refuse(verdict.UnknownCommand, "the command that this wrapper starts is not known before it runs: write it literally")
		}
		switch {
		case a.text == "--":
			if operands == 0 && verb == "" {
				return args[1:], holder, false, nil
			}
			args = args[1:]
		case strings.HasPrefix(a.text, "-") && a.text != "-":
			used, isQuery, e := w.wrapperOption(wrap, s, inv, args, &holder)
			if e != nil || isQuery {
				return nil, "", isQuery, e
			}
			args = args[min(used, len(args)):]
		case wrap.assigns && isAssignment(a.text):
			if e := w.checkVariable(a.text, s); e != nil {
				return nil, "", false, e
			}
			args = args[1:]
		case verb != "":
			if a.text != verb {
				return nil, "", true, w.checkArguments(inv, s)
			}
			verb, args = "", args[1:]
		case operands > 0:
			operands--
			args = args[1:]
		default:
			return args, holder, false, nil
		}
	}
	return nil, holder, false, nil
}

// wrapperOption checks one option and returns how many words it takes.
func (w *walker) wrapperOption(wrap *wrapper, s *state, inv invocation, args []value, holder *string) (used int, query bool, err error) {
	arg := args[0].text
	name, value, attached := strings.Cut(arg, "=")
	long := strings.HasPrefix(arg, "--")
	if !long {
		name = arg
	}
	if has(wrap.query, name) || strings.ContainsAny(wrap.query, lastLetters(arg, long)) {
		return 0, true, nil
	}
	if code, ok := codeOption(wrap.code, arg, args); ok {
		return 2, false, w.nested(joinCode(code), s.copy(), inv.in)
	}
	if has(wrap.holder, name) && long {
		*holder = "{}"
		if attached {
			*holder = value
		}
		return 1, false, nil
	}
	for h := range strings.FieldsSeq(wrap.holder) {
		if long || len(h) != 2 || !strings.HasPrefix(arg, h) {
			continue
		}
		if *holder = arg[2:]; *holder == "" {
			*holder = "{}"
			if h != "-i" && len(args) > 1 {
				*holder = args[1].text
				return 2, false, nil
			}
		}
		return 1, false, nil
	}
	if (long && !attached && has(wrap.long, name)) || (!long && endsInValued(wrap.valued, arg)) {
		return 2, false, nil
	}
	return 1, false, nil
}

func has(list, name string) bool {
	for item := range strings.FieldsSeq(list) {
		if item == name {
			return true
		}
	}
	return false
}

// lastLetters returns the letters of a short cluster that could be a query. Only
// the letters of "command" and "builtin" matter, whose options take no values.
func lastLetters(arg string, long bool) string {
	if long || len(arg) < 2 {
		return ""
	}
	return strings.Trim(arg[1:], "-")
}

// endsInValued reports whether a short cluster ends in an option that takes the
// next word: -n or -0n, but not -n1, whose value is attached.
func endsInValued(valued, arg string) bool {
	for v := range strings.FieldsSeq(valued) {
		if len(v) == 2 && strings.HasSuffix(arg, v[1:]) && strings.IndexByte(arg, v[1]) == len(arg)-1 {
			return true
		}
	}
	return false
}

// codeOption finds shell code in -c CODE, -qc CODE, -SCODE and --command=CODE.
func codeOption(options, arg string, args []value) ([]value, bool) {
	for o := range strings.FieldsSeq(options) {
		switch {
		case strings.HasPrefix(o, "--"):
			if arg == o && len(args) > 1 {
				return args[1:2], true
			}
			if code, ok := strings.CutPrefix(arg, o+"="); ok {
				return []value{literal(code)}, true
			}
		case !strings.HasPrefix(arg, "--") && strings.Contains(arg, o[1:]):
			_, code, _ := strings.Cut(arg, o[1:])
			if code != "" {
				return append([]value{literal(code)}, args[1:]...), true
			}
			return args[1:], true
		}
	}
	return nil, false
}

func isAssignment(text string) bool {
	name, _, ok := strings.Cut(text, "=")
	if strings.HasPrefix(name, "BASH_FUNC_") {
		return ok
	}
	if !ok || name == "" || (name[0] >= '0' && name[0] <= '9') {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// checkVariable checks a NAME=value that is given to env.
func (w *walker) checkVariable(text string, s *state) error {
	name, setting, _ := strings.Cut(text, "=")
	return w.checkSetting(name, literal(setting), s)
}
