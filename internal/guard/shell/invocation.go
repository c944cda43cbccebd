package shell

import (
	"path"
	"strings"

	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

func baseName(name string) string {
	if name == "" {
		return ""
	}
	base := path.Base(path.Clean(name))
	for _, family := range []string{"nc.", "vim.", "mawk.", "rm.", "busybox."} {
		if strings.HasPrefix(base, family) {
			return strings.TrimSuffix(family, ".") // nc.traditional, vim.tiny
		}
	}
	return base
}

// invocation is one command with its arguments, without the wrappers that start
// it.
type invocation struct {
	name  string // base name
	full  string // as written
	args  []value
	in    input
	stmt  *syntax.Stmt
	outer []string // the wrappers that were removed
}

func (w *walker) call(call *syntax.CallExpr, stmt *syntax.Stmt, s *state, in input) error {
	for _, a := range call.Assigns {
		if err := w.assign(a, s, len(call.Args) == 0); err != nil {
			return err
		}
	}
	var argv []value
	for i, arg := range call.Args {
		if i > 0 && substitutesNames(arg) && w.listsHome(arg, s) {
			if metadataPrograms()[baseName(call.Args[0].Lit())] == "" {
				return errHomeTree
			}
			w.homeNames = true
		}
		if i > 0 && w.listsFiles(call, i, s) {
			return errHomeTree
		}
		values, err := w.word(arg, s)
		if err != nil {
			return err
		}
		argv = append(argv, values...)
	}
	if len(call.Args) == 0 {
		return nil
	}
	if networkTools()[baseName(call.Args[0].Lit())] != "" && substitutesDump(call) {
		return verdict.Refuse(verdict.SendsSecrets, "the environment must not be sent over the network")
	}
	return w.run(argv, s, invocation{in: in, stmt: stmt})
}

// substitutesNames reports whether a word contains a command substitution.
func substitutesNames(word *syntax.Word) bool {
	found := false
	syntax.Walk(word, func(n syntax.Node) bool {
		if _, ok := n.(*syntax.CmdSubst); ok {
			found = true
		}
		return !found
	})
	return found
}

// substitutesDump reports whether an argument contains $(env) or another dump of
// the environment.
func substitutesDump(call *syntax.CallExpr) bool {
	for _, arg := range call.Args[1:] {
		dumps := false
		syntax.Walk(arg, func(n syntax.Node) bool {
			if sub, ok := n.(*syntax.CmdSubst); ok {
				dumps = dumps || callsAny(sub, environmentDumps())
			}
			return !dumps
		})
		if dumps {
			return true
		}
	}
	return false
}

// run checks an argument list. It calls itself for commands that wrappers start.
func (w *walker) run(argv []value, s *state, inv invocation) error {
	if len(argv) == 0 {
		return nil
	}
	if len(inv.outer) > 8 {
		return errNesting
	}
	name := argv[0]
	if name.unknown() || (name.glob && name.text != "[") || name.text == "" {
		return verdict.Refuse(verdict.UnknownCommand, "the command's name is not known before the command runs: write it literally")
	}
	inv.full, inv.name, inv.args = name.text, baseName(name.text), argv[1:]
	if body := s.funcs[inv.full]; body != nil && len(inv.outer) == 0 {
		// The function may not be defined at this point: check the program of
		// that name as well.
		if err := w.function(body, s, inv.in); err != nil {
			return err
		}
	}
	if inv.name == "crontab" && len(inv.args) == 1 && inv.args[0].text == "-l" {
		return nil // only lists
	}
	if p := refusedProgram(inv.name); p != nil {
		return verdict.Refuse(p.rule, "%s is always refused, because %s", verdict.Short(inv.name), p.why)
	}
	if err := w.checkDownloaded(name, inv, s); err != nil {
		return err
	}
	if err := w.checkAny(inv, s); err != nil {
		return err
	}
	if wrap := wrappers[inv.name]; wrap != nil {
		return w.unwrap(wrap, s, inv)
	}
	return w.checkProgram(inv, s)
}

// checkAny applies the rules that hold for any program, including one that starts
// another.
func (w *walker) checkAny(inv invocation, s *state) error {
	for _, rule := range []func(invocation) error{
		w.checkOperator, w.checkAttach, w.checkEvaluated, w.checkPrintsSecret, checkModes,
	} {
		if err := rule(inv); err != nil {
			return err
		}
	}
	w.noteKeptNames(inv.name, inv.stmt, s)
	if err := w.checkKeptNames(inv); err != nil {
		return err
	}
	return w.checkWriter(inv, s)
}

// checkProgram applies the rules for a program that starts no other program named
// in its arguments.
func (w *walker) checkProgram(inv invocation, s *state) error {
	if err := w.checkArguments(inv, s); err != nil {
		return err
	}
	if err := w.loadsCode(inv); err != nil {
		return err
	}
	if err := w.dotCommands(inv, s); err != nil {
		return err
	}
	w.noteDownload(inv, s)
	if err := w.embedded(inv, s); err != nil {
		return err
	}
	if err := w.checkTreeOperand(inv, s); err != nil {
		return err
	}
	return w.judge(inv, s)
}
