package shell

import (
	"path"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
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

// invocation is one command with its arguments, after wrappers are taken off.
type invocation struct {
	name  string // base name
	full  string // as written
	args  []value
	in    input
	stmt  *syntax.Stmt
	outer []string // the wrappers it came through
}

func (w *walker) call(call *syntax.CallExpr, stmt *syntax.Stmt, s *state, in input) error {
	for _, a := range call.Assigns {
		if err := w.assign(a, s, len(call.Args) == 0); err != nil {
			return err
		}
	}
	var argv []value
	for i, arg := range call.Args {
		if i > 0 && substitutesNames(arg) && metadataPrograms[baseName(call.Args[0].Lit())] == "" && w.listsHome(arg, s) {
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
	if networkTools[baseName(call.Args[0].Lit())] != "" && substitutesDump(call) {
		return verdict.Refuse(verdict.SendsSecrets, "the environment must not be sent over the network")
	}
	return w.run(argv, s, invocation{in: in, stmt: stmt})
}

// substitutesNames reports whether a word holds a command substitution.
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

// substitutesDump reports whether an argument holds $(env) or the like.
func substitutesDump(call *syntax.CallExpr) bool {
	for _, arg := range call.Args[1:] {
		dumps := false
		syntax.Walk(arg, func(n syntax.Node) bool {
			if sub, ok := n.(*syntax.CmdSubst); ok {
				dumps = dumps || callsAny(sub, environmentDumps)
			}
			return !dumps
		})
		if dumps {
			return true
		}
	}
	return false
}

// run judges an argument list. It calls itself for what wrappers start.
func (w *walker) run(argv []value, s *state, inv invocation) error {
	if len(argv) == 0 {
		return nil
	}
	if len(inv.outer) > 8 {
		return errNesting
	}
	name := argv[0]
	if name.unknown() || (name.glob && name.text != "[") || name.text == "" {
		return verdict.Refuse(verdict.UnknownCommand, "the command's name cannot be known: write it literally")
	}
	inv.full, inv.name, inv.args = name.text, baseName(name.text), argv[1:]
	if body := s.funcs[inv.full]; body != nil && len(inv.outer) == 0 {
		// The definition may not have been reached: judge the program as well.
		if err := w.function(body, s, inv.in); err != nil {
			return err
		}
	}
	if inv.name == "crontab" && len(inv.args) == 1 && inv.args[0].text == "-l" {
		return nil // it only lists
	}
	if p := refusedProgram(inv.name); p != nil {
		return verdict.Refuse(p.rule, "%s is always refused, because %s", verdict.Short(inv.name), p.why)
	}
	if err := w.checkOperator(inv); err != nil {
		return err
	}
	if err := w.checkDownloaded(name, inv, s); err != nil {
		return err
	}
	if err := w.checkAttach(inv); err != nil {
		return err
	}
	if err := w.checkEvaluated(inv); err != nil {
		return err
	}
	if err := w.checkPrintsSecret(inv); err != nil {
		return err
	}
	if err := w.checkWriter(inv, s); err != nil {
		return err
	}
	if wrap := wrappers[inv.name]; wrap != nil {
		return w.unwrap(wrap, s, inv)
	}
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

// checkOperator refuses the operator's side of the bridge, under any name.
func (w *walker) checkOperator(inv invocation) error {
	words := make([]string, 0, len(inv.args))
	for _, a := range inv.args {
		words = append(words, strings.ToLower(a.text))
	}
	if inv.name == "bridge" {
		for _, word := range words {
			switch word {
			case "tokens", "cleanup", "uninstall", "reassign", "say", "pause", "resume", "limits":
				return errOperator
			case "yolo":
				if !slices.Contains(words, "explain") {
					return errOperator
				}
			}
		}
	}
	if _, lang := interpreterFor(inv.name); lang != nil || dataCommands[inv.name] != "" || readers[inv.name] != "" || textPrograms[inv.name] != "" || firstIsText[inv.name] {
		return nil // text, or code that is looked into elsewhere
	}
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "yolo" && operatorVerbs[words[i+1]] {
			return errOperator
		}
	}
	for _, word := range words {
		for verb := range operatorVerbs {
			if strings.Contains(word, "bridge yolo "+verb) {
				return errOperator
			}
		}
	}
	return nil
}

var errOperator = verdict.Refuse(verdict.OperatorOnly, "the bridge's operator commands are for the human at the terminal: ask for approval through the tool")

var operatorVerbs = map[string]bool{
	"enable": true, "disable": true, "approve": true, "deny": true, "cleanup": true, "rollback": true, "grant": true,
}

// checkArguments refuses secrets, devices and never-writable paths among the
// arguments of any command.
func (w *walker) checkArguments(inv invocation, s *state) error {
	why := dataCommands[inv.name]
	if why != "" && !inv.in.toArgs {
		return nil
	}
	if inv.in.toRemoval {
		if err := w.listsOutside(inv, s); err != nil {
			return err
		}
	}
	skip := dataArguments(inv)
	for i, a := range inv.args {
		if skip[i] {
			continue
		}
		if err := w.checkSecret(a, s); err != nil {
			return err
		}
		if contentReaders[inv.name] != "" && w.isSecretFile(a, s) {
			return verdict.ErrSecretFile
		}
		if readers[inv.name] == "" && !onlyReadsSources[inv.name] && !strings.HasPrefix(a.text, "-") && strings.IndexByte(a.text, '\n') < 0 {
			if w.neverWritten(a, s) {
				return verdict.Refuse(verdict.ProtectedPath, "%s configures git, an editor, a shell or an agent, and is never written", verdict.Short(a.text))
			}
		}
	}
	return nil
}

// onlyReadsSources are programs that write their destination alone, which is
// judged by their own rule.
var onlyReadsSources = map[string]bool{"cp": true, "rsync": true, "scp": true}

// contentReaders print or send what their operands hold.
var contentReaders = expandNames([]struct{ names, why string }{
	{"cat head tail less more bat grep egrep fgrep rg ag ack zgrep awk gawk mawk nawk sed cut sort uniq nl tac rev column fold paste join strings xxd od hexdump base64 base32 diff cmp comm colordiff sdiff jq yq tr view pr fmt expand", "it prints the file"},
	{"curl wget nc ncat scp sftp rsync tar bsdtar zip 7z gzip xz zstd dd gpg age pbcopy xclip wl-copy openssl-base64 mail tee-in", "it copies or sends the file"},
})

// isSecretFile reports whether a value names a file inside the project that
// holds secrets by its name.
func (w *walker) isSecretFile(v value, s *state) bool {
	for _, candidate := range paths.Candidates(v.pattern) {
		c := v
		c.pattern = w.world.Untilde(candidate)
		places, _ := w.places(c, s)
		for _, place := range places {
			if strings.ContainsRune(place, unknownMark) {
				continue
			}
			if paths.HasGlob(place) && paths.GlobNamesSecretFile(place) {
				return true
			}
			if !paths.HasGlob(place) && w.inProject(place) && paths.IsSecretFile(paths.UnescapeGlob(place)) {
				return true
			}
		}
	}
	return false
}

// listsOutside refuses listing places outside the project for a removal that
// follows in the pipeline.
func (w *walker) listsOutside(inv invocation, s *state) error {
	for _, a := range inv.args {
		if a.unknown() || (!paths.IsAbs(a.text) && !strings.HasPrefix(a.text, "..")) {
			continue
		}
		if err := w.checkRemove(a, s, "removal of what is listed"); err != nil {
			return err
		}
	}
	return nil
}

// dataArguments are the positions that hold text and no path: patterns,
// messages, scripts (which are read elsewhere).
func dataArguments(inv invocation) map[int]bool {
	skip := map[int]bool{}
	valueOf := textOptions[inv.name]
	first := firstIsText[inv.name]
	for i := 0; i < len(inv.args); i++ {
		arg := inv.args[i].text
		if slices.Contains(valueOf, arg) && i+1 < len(inv.args) {
			skip[i+1] = true
			i++
			first = first && inv.name == "git"
			continue
		}
		if first && !strings.HasPrefix(arg, "-") {
			skip[i] = true
			first = false
		}
	}
	return skip
}

// checkSecret refuses a value that names, or could name, a secret.
func (w *walker) checkSecret(v value, s *state) error {
	candidates := paths.Candidates(v.pattern)
	if len(v.text) > 2 && v.text[0] == '-' && v.text[1] != '-' {
		candidates = append(candidates, v.pattern[2:])
	}
	for _, candidate := range candidates {
		if candidate == string(unknownMark) {
			continue
		}
		c := v
		c.pattern = w.world.Untilde(candidate)
		places, _ := w.places(c, s)
		for _, place := range places {
			if w.isSecret(place) {
				return verdict.ErrSecret
			}
		}
	}
	return nil
}

// isSecret judges a cleaned pattern. Unknown parts may be anything without a
// slash, a leading dot included.
func (w *walker) isSecret(pattern string) bool {
	if parts := paths.Components(pattern); parts[0] == "dev" {
		return len(parts) > 1 && !yoloDevice(parts[1])
	}
	if !strings.ContainsRune(pattern, unknownMark) {
		if paths.HasGlob(pattern) {
			return w.world.Secrets.Glob(pattern)
		}
		if w.world.Secrets.Has(paths.UnescapeGlob(pattern)) {
			return true
		}
		actual, err := paths.Resolve(w.world.FS, paths.UnescapeGlob(pattern))
		return err != nil || (paths.Components(actual)[0] != "dev" && w.world.Secrets.Has(actual))
	}
	mark := string(unknownMark)
	return w.world.Secrets.Glob(strings.ReplaceAll(pattern, mark, "*")) ||
		w.world.Secrets.Glob(strings.ReplaceAll(pattern, mark, ".*"))
}

// yoloDevice allows the devices that hold nothing and harm nothing.
func yoloDevice(name string) bool {
	return slices.Contains([]string{"null", "zero", "full", "random", "urandom", "stdin", "stdout", "stderr", "fd", "shm"}, name)
}

func (w *walker) neverWritten(v value, s *state) bool {
	text := v.text
	if at := strings.IndexByte(text, '='); at >= 0 {
		text = text[at+1:]
	}
	v.pattern = text
	places, _ := w.places(v, s)
	for _, place := range places {
		if paths.NeverWritten(place) {
			return true
		}
	}
	return false
}

// assign judges an assignment, and remembers it where it is certain.
func (w *walker) assign(a *syntax.Assign, s *state, lasting bool) error {
	if a.Array != nil {
		if err := w.substitutions(a.Array, s); err != nil {
			return err
		}
	}
	if a.Index != nil {
		if err := w.substitutions(a.Index, s); err != nil {
			return err
		}
	}
	name := ""
	if a.Name != nil {
		name = a.Name.Value
	}
	if a.Value == nil {
		return refusedSetting(name, "")
	}
	values, err := w.word(a.Value, s)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := w.checkSecret(v, s); err != nil {
			return err
		}
		if err := w.checkSetting(name, v, s); err != nil {
			return err
		}
		if w.calculates && evaluates(v.text) {
			return errEvaluated
		}
	}
	if lasting && s.straight && w.assigns[name] == 1 && !a.Append && a.Index == nil && len(values) == 1 {
		v := values[0]
		v.glob = v.glob || paths.HasGlob(v.text)
		v.pattern = v.text
		s.vars[name] = v
	}
	return nil
}

// declaredTexts are the literal texts of a declaration's argument.
func declaredTexts(a *syntax.Assign) []string {
	var out []string
	syntax.Walk(a, func(n syntax.Node) bool {
		switch t := n.(type) {
		case *syntax.Lit:
			out = append(out, t.Value)
		case *syntax.SglQuoted:
			out = append(out, t.Value)
		}
		return true
	})
	return out
}

func (w *walker) declaration(d *syntax.DeclClause, s *state) error {
	for _, a := range d.Args {
		if err := w.assign(a, s, false); err != nil {
			return err
		}
		for _, part := range declaredTexts(a) {
			if evaluates(part) {
				return errEvaluated
			}
			if name, setting, ok := strings.Cut(part, "="); ok && a.Naked && isAssignment(part) {
				if err := w.checkSetting(name, literal(setting), s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
