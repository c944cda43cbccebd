package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
	"example.org/bridge/internal/lazyregexp"
)

// embedded checks commands in the arguments of another program. No list of the
// programs that start others is complete, but the program they start must be
// named in an argument: as a word followed by its own arguments, or inside a
// text. Only clearly destructive commands are refused here, since a text may be
// mere data.
func (w *walker) embedded(inv invocation, s *state) error {
	if startsUnknown(inv) {
		return verdict.Refuse(verdict.UnknownCommand, "the program that %s starts is not known before the command runs: write it literally", inv.name)
	}
	if err := w.startedTexts(inv, s); err != nil {
		return err
	}
	if holdsText(inv) {
		return nil
	}
	for i, a := range inv.args {
		if err := w.startedWords(inv, i, s); err != nil {
			return err
		}
		if err := w.embeddedText(a.text, s); err != nil {
			return err
		}
	}
	return w.embeddedText(inv.in.text, s)
}

// startedTexts checks arguments that are commands in any program: +COMMAND of
// editors and pagers, and the pager of man.
func (w *walker) startedTexts(inv invocation, s *state) error {
	for i, a := range inv.args {
		isPager := inv.name == "man" && (len(a.text) > 2 && strings.HasPrefix(a.text, "-") || i > 0 && has("-P --pager", inv.args[i-1].text))
		if !isPager && !strings.HasPrefix(a.text, "+") {
			continue
		}
		if err := w.embeddedText(strings.TrimPrefix(strings.TrimPrefix(a.text, "-H"), "-P"), s); err != nil {
			return err
		}
		if err := w.disasterCommand(a.text, s); err != nil {
			return err
		}
	}
	return nil
}

// startedWords checks a program that is named among the arguments, together with
// the words after it.
func (w *walker) startedWords(inv invocation, i int, s *state) error {
	if i+1 >= len(inv.args) || destroyers()[baseName(inv.args[i].text)] == "" {
		return nil
	}
	inner := invocation{outer: append(append([]string(nil), inv.outer...), inv.name)}
	return onlyDisaster(w.run(inv.args[i:], s.copy(), inner))
}

// destroyers are programs whose arguments decide whether they destroy anything.
var destroyers = expandNames([]struct{ names, why string }{
	{"rm rmdir shred unlink rimraf srm trash chmod chown chgrp mv dd find truncate", "it removes or changes what it is given"},
	{"mkfs wipefs blkdiscard fdisk parted", "it accesses disks directly"},
})

// packageRunners start the program that follows one of their verbs.
var packageRunners = map[string]string{"npm": "exec x", "pnpm": "exec dlx", "yarn": "exec dlx", "bun": "x", "corepack": "npm pnpm yarn", "deno": "run", "cargo": "xtask", "go": "run tool", "rustup": "run", "nix": "run", "pixi": "run exec", "rtx": "exec"}

// startsUnknown reports whether a package manager starts a program whose name is
// not literal.
func startsUnknown(inv invocation) bool {
	args := fromSubcommand(inv.name, inv.args)
	if !has(packageRunners[inv.name], firstWord(args)) {
		return false
	}
	for _, a := range args[1:] {
		if !strings.HasPrefix(a.text, "-") {
			return a.unknown() && (a.loose || a.computed)
		}
	}
	return false
}

// holdsText reports whether a program's arguments are text that nothing runs.
func holdsText(inv invocation) bool {
	if dataCommands()[inv.name] != "" || readers()[inv.name] != "" || textPrograms()[inv.name] != "" || shells()[inv.name] != "" {
		return inv.name != "git" || !has("send-email for-each-repo instaweb", firstWord(inv.args))
	}
	if _, lang := interpreterFor(inv.name); lang != nil {
		_, operand, _ := lang.find(inv.args)
		return lang.first || operand != nil && len(lang.code) > 0 // data of a script
	}
	return false
}

func firstWord(args []value) string {
	if len(args) == 0 {
		return ""
	}
	return args[0].text
}

// textPrograms take messages, queries and similar text, or have their own rule
// for commands in their arguments.
var textPrograms = expandNames([]struct{ names, why string }{
	{"gh glab hub jira slack", "titles and messages"},
	{"curl wget http https xh httpie", "bodies of requests"},
	{"docker podman nerdctl docker-compose podman-compose kubectl oc", "they run inside a container"},
	{"ssh npm-scripts rm rmdir unlink shred chmod chown chgrp mv cp install ln find fd fdfind dd touch mkdir", "a rule of their own"},
	{"apt apt-get dnf yum brew apk pacman man whatis apropos which whereis type tldr info help", "names of programs"},
	{"git", "a rule of its own"},
	{"export declare typeset local readonly set unset read test kill pkill killall pgrep pidof", "builtins"},
})

// disasterText finds destructive commands inside a text, whatever its language.
var disasterText = lazyregexp.New("(?:^|[^\\w./-])((?:/[\\w/]*/)?(?:rm|shred|chmod|chown|dd|mkfs[.\\w]*|rmdir|unlink|rimraf|find|remove-item)\\s+[^;|&)(\"'`<>\\n]*)")

// embeddedText checks what a text may start, read, write and remove.
func (w *walker) embeddedText(text string, s *state) error {
	if len(text) < 4 || len(text) > maxInline || strings.ContainsRune(text, unknownMark) {
		return nil
	}
	if err := w.disastersIn(text, s); err != nil {
		return err
	}
	if !strings.ContainsAny(text, `'"`+"`|!") {
		return nil
	}
	texts := quotedTexts(text)
	if len(texts) > 1 {
		if err := w.disasterCommand(strings.Join(texts, " "), s); err != nil {
			return err
		}
	}
	if removesTrees().MatchString(text) && namesHome().MatchString(text) {
		return verdict.Refuse(verdict.RemovesTooMuch, "recursive removal in inline code needs a literal target inside the workspace")
	}
	return onlyDisaster(w.inlinePaths(text, texts, s))
}

// disastersIn checks the commands in a text, and the text read as a list with
// commas (gcc -wrapper rm,-rf,DIR).
func (w *walker) disastersIn(text string, s *state) error {
	for _, m := range disasterText().FindAllStringSubmatch(text, 16) {
		if err := w.disasterCommand(m[1], s); err != nil {
			return err
		}
	}
	if !strings.Contains(text, ",-") {
		return nil
	}
	return w.disasterCommand(strings.ReplaceAll(text, ",", " "), s)
}

// disasterCommand checks a text as a command. A text that does not parse is
// accepted.
func (w *walker) disasterCommand(text string, s *state) error {
	if w.depth >= verdict.MaxNesting || len(text) > 2000 {
		return nil
	}
	if _, err := verdict.Parse(text); err != nil {
		return nil //nolint:nilerr // prose is not a command
	}
	count := w.count
	err := w.nested(text, s.copy(), input{})
	w.count = count
	return onlyDisaster(err)
}

// onlyDisaster returns a refusal whose rule prevents damage, and nil for any
// other.
func onlyDisaster(err error) error {
	if err == nil {
		return nil
	}
	switch verdict.AsRefusal(err).Rule {
	case verdict.RemovesTooMuch, verdict.DiskTool, verdict.SystemWrite, verdict.ProtectedPath, verdict.ForkBomb,
		verdict.ReverseShell, verdict.SecretPath, verdict.SetUserID:
		return err
	}
	return nil
}
