package shell

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
	"example.org/bridge/internal/lazyregexp"
)

// maxInline limits the inline code that is inspected, in bytes.
const maxInline = 16 << 10

// What inline code must not contain, whatever the language. These checks catch
// accidents: code can always disguise what it does, and the approval shows it to
// a human.
var (
	startsPrograms = lazyregexp.New("(?i)system|exec|spawn|popen|subprocess|child_process|getoutput|\\bqx\\b|`|shell|process|\\|\\s*\"?getline|Deno\\.(run|Command)|%x|^!|\\be\\b")
	removesTrees   = lazyregexp.New(`(?i)rmtree|rmdir_?(sync|all)?|rmSync|rm_rf|rm_r\b|remove_tree|removedirs|FileUtils\.rm|delete-directory|recursive\s*=\s*true|rmdir\s*\([^)]*["']s["']|fs\.(promises\.)?rm\b|rimraf|remove_dir_all|Deno\.remove|delete_tree|remove_entry`)
	removesFiles   = lazyregexp.New(`(?i)unlink|os\.remove|File\.delete|truncate`)
	writesFiles    = lazyregexp.New(`(?i)urlretrieve|getstore|copy\s*\(|open\s*\(|write|File\.|fopen|file_put_contents|>`)
	connects       = lazyregexp.New(`(?i)socket|TCPSocket|net\.connect|["'](node:)?net["']|fsockopen|net\.createConnection|IO::Socket|/inet/`)
	becomesShell   = lazyregexp.New(`(?i)dup2|/bin/(ba|da|z|k)?sh|pty\.spawn|\bsh\s+-i|cmd\.exe|STDIN|exec|spawn`)
	runsText       = lazyregexp.New(`(?i)\b(eval|exec|Function|compile|vm\.run\w*|instance_eval|loadstring|load)\s*\(?`)
	hidesText      = lazyregexp.New(`(?i)base64|b64decode|atob|fromhex|unhexlify|decode\s*\(|urlopen|urlretrieve|getstore|URI\.open|copy\s*\(\s*["']https?:|urllib|requests\.|https?\.get|fetch\s*\(|open-uri|Net::HTTP|LWP|marshal|unpack|fromCharCode|codecs|rot13|zlib|gzip`)
	forks          = lazyregexp.New(`(?i)\bfork\b`)
	loops          = lazyregexp.New(`(?i)\b(while|for|loop|until|redo)\b`)
	killsAll       = lazyregexp.New(`(?i)kill\w*\s*\(?\s*(['"]?\w+['"]?\s*,\s*)?-?\b1\b`)
	namesHome      = lazyregexp.New(`(?i)expanduser|homedir|Path\.home|ENV\b|environ|Dir\.home|process\.env`)
	typesKeys      = lazyregexp.New(`(?i)TIOCSTI|pyautogui|pynput|robotjs|uinput`)
	setsIDInline   = lazyregexp.New(`(?i)chmod\w*[^;\n]{0,80}?\b0?o?[2-7][0-7]{3}\b|S_IS[UG]ID`)
	quotedText     = lazyregexp.New("'((?:[^'\\\\]|\\\\.)*)'|\"((?:[^\"\\\\]|\\\\.)*)\"|`((?:[^`\\\\]|\\\\.)*)`|%x[({\\[]([^)}\\]]*)[)}\\]]|qx[({/]([^)}/]*)[)}/]")
)

// secretWords are parts of paths that inline code has no legitimate reason to
// contain.
var secretWords = []string{
	"/.ssh/", ".aws/credentials", "/etc/shadow", "/etc/gshadow", "/etc/sudoers", ".gnupg/", "/.netrc", ".kube/config",
	".git-credentials", ".claude.json", ".claude/.credentials", ".yolo_tokens", "yolo_audit.log", "claude_bridge_secure",
	".local/state/bridge", ".config/bridge", "/proc/self/environ", "/proc/self/mem", ".bash_history", ".zsh_history",
	".docker/config.json", ".config/gh/", "/dev/tcp/", "/dev/udp/", "id_rsa", "id_ed25519", "docker.sock",
}

// runsOperator reports whether code starts one of the operator's own commands.
// Code that starts no program may print or compare the names of these commands.
func runsOperator(code string) bool {
	lower := strings.ToLower(code)
	if !strings.Contains(lower, "bridge") || !strings.Contains(lower, "yolo") || !startsPrograms().MatchString(code) {
		return false
	}
	for verb := range operatorVerbs {
		if strings.Contains(lower, verb) {
			return true
		}
	}
	return false
}

// inlineCode inspects code in another language that is given with -c, -e or a
// here-document.
func (w *walker) inlineCode(language, code string, s *state) error {
	if len(code) > maxInline {
		return verdict.Refuse(verdict.TooLarge, "inline code is longer than %d bytes: put it into a file", maxInline)
	}
	for _, word := range secretWords {
		if strings.Contains(code, word) {
			return verdict.ErrSecret
		}
	}
	if runsOperator(code) {
		return errOperator
	}
	switch {
	case language == "expect" && strings.Contains(code, "send"):
		return verdict.Refuse(verdict.Keystrokes, "typing into a program's terminal is refused")
	case connects().MatchString(code) && becomesShell().MatchString(code):
		return verdict.Refuse(verdict.ReverseShell, "this inline code looks like a reverse shell")
	case runsText().MatchString(code) && hidesText().MatchString(code):
		return verdict.Refuse(verdict.HiddenCode, "inline code that runs encoded or downloaded text is refused")
	case forks().MatchString(code) && loops().MatchString(code):
		return verdict.Refuse(verdict.ForkBomb, "inline code that forks in a loop is a fork bomb")
	case strings.Contains(code, "ptrace"):
		return verdict.Refuse(verdict.AttachesProcess, "inline code that attaches to a process is refused")
	case setsIDInline().MatchString(code):
		return errSetsID
	case typesKeys().MatchString(code):
		return verdict.Refuse(verdict.Keystrokes, "keystroke injection is refused")
	case killsAll().MatchString(code):
		return verdict.Refuse(verdict.KillsTooMuch, "inline code that kills every process is refused")
	}
	if hidesText().MatchString(code) && writesFiles().MatchString(code) {
		for _, text := range quotedTexts(code) {
			if !strings.Contains(text, " ") && strings.Contains(text, ".") {
				w.downloads[baseName(text)] = true
			}
		}
	}
	return w.inlineLiterals(language, code, s)
}

// inlineLiterals checks the quoted texts of inline code as commands and as paths.
func (w *walker) inlineLiterals(language, code string, s *state) error {
	texts := quotedTexts(code)
	starts := startsPrograms().MatchString(code)
	switch language {
	case "awk", "gawk", "mawk", "nawk":
		starts = starts || strings.Contains(code, "|")
	case "sed", "gsed":
		return w.sedScript(code, s)
	case "vi", "vim", "nvim", "ex", "expect":
		starts = true
		texts = append(texts, strings.TrimLeft(code, ":!%, "), strings.TrimPrefix(code, "spawn "))
	}
	if starts {
		if err := w.inlineCommands(texts, s); err != nil {
			return err
		}
	}
	return w.inlinePaths(code, texts, s)
}

var (
	sedRuns   = lazyregexp.New(`(?m)(?:^|[;{}\n0-9$/,]|[0-9$/]!)\s*e\s+(.+)$`)
	sedWrites = lazyregexp.New(`(?m)(?:^|[;{}\n0-9$/,gpiI])\s*[wW]\s+([^;}\n]+)$`)
)

// sedScript checks what GNU sed runs (the command e, and the flag e of s) and
// writes (the command and the flag w).
func (w *walker) sedScript(code string, s *state) error {
	for _, m := range sedRuns().FindAllStringSubmatch(code, -1) {
		if err := w.nested(m[1], s.copy(), input{kind: inputPipe}); err != nil {
			return fmt.Errorf("inside sed: %w", err)
		}
	}
	if strings.ContainsRune(substituteFlags(code), 'e') {
		return verdict.Refuse(verdict.EvaluatedText, "the flag e of sed runs its input as commands: leave it out")
	}
	for _, m := range sedWrites().FindAllStringSubmatch(code, -1) {
		if err := w.checkWrite(literal(w.world.Untilde(strings.TrimSpace(m[1]))), s); err != nil {
			return err
		}
	}
	return nil
}

// substituteFlags returns the flags of a script that is a single s command.
func substituteFlags(code string) string {
	code = strings.TrimLeft(code, "0123456789,$ ")
	if len(code) < 4 || code[0] != 's' {
		return ""
	}
	delimiter, seen := code[1], 0
	for i := 2; i < len(code); i++ {
		switch code[i] {
		case '\\':
			i++
		case delimiter:
			if seen++; seen == 2 {
				flags, _, _ := strings.Cut(code[i+1:], ";")
				flags, _, _ = strings.Cut(flags, "w")
				flags, _, _ = strings.Cut(flags, "\n")
				return strings.TrimSpace(flags)
			}
		}
	}
	return ""
}

func (w *walker) inlineCommands(texts []string, s *state) error {
	for i := range texts {
		if err := w.maybeCommand(texts[i], s); err != nil {
			return err
		}
		if i < 12 && i+1 < len(texts) {
			if err := w.maybeCommand(strings.Join(texts[i:], " "), s); err != nil {
				return err
			}
		}
	}
	return nil
}

// maybeCommand checks text that may be a command. Text that does not parse or is a single
// word is accepted.
func (w *walker) maybeCommand(text string, s *state) error {
	if !strings.Contains(text, " ") || w.depth >= verdict.MaxNesting || len(text) > 2000 {
		return nil
	}
	if _, err := verdict.Parse(text); err != nil {
		return nil //nolint:nilerr // prose is not a command
	}
	count := w.count
	err := w.nested(text, s.copy(), input{})
	w.count = count
	if err != nil {
		return fmt.Errorf("inside inline code: %w", err)
	}
	return nil
}

func (w *walker) inlinePaths(code string, texts []string, s *state) error {
	trees := removesTrees().MatchString(code)
	files := trees || removesFiles().MatchString(code)
	known := 0
	for _, text := range texts {
		if text == "" || strings.ContainsAny(text, "\n\x00") {
			continue
		}
		v := literal(w.world.Untilde(text))
		if paths.IsAbs(text) && w.isSecret(paths.Clean(text)) {
			return verdict.ErrSecret
		}
		if paths.IsAbs(text) || strings.HasPrefix(text, ".") || strings.HasPrefix(text, "~") || trees {
			known++
		}
		if trees {
			if err := w.checkRemove(v, s, "recursive removal"); err != nil {
				return err
			}
		}
		if (files || writesFiles().MatchString(code)) && (paths.IsAbs(v.text) || strings.HasPrefix(text, ".")) && writesSystem(code) {
			if err := w.checkWrite(v, s); err != nil {
				return err
			}
		}
	}
	if trees && (known == 0 || namesHome().MatchString(code)) {
		return verdict.Refuse(verdict.UnknownTarget, "recursive removal in inline code needs a literal target inside the workspace")
	}
	return nil
}

var writeMode = lazyregexp.New(`(?i)['"][rwa]?b?[wa+]b?\+?['"]|write|>|unlink|remove|delete|truncate|put_contents|rm|copy|rename|symlink|chmod|mkdir`)

func writesSystem(code string) bool { return writeMode().MatchString(code) }

// quotedTexts returns the string literals in code of most languages. Escapes are
// not decoded.
func quotedTexts(code string) []string {
	const most = 64
	var out []string
	for _, m := range quotedText().FindAllStringSubmatch(code, most) {
		for _, text := range m[1:] {
			if text != "" {
				out = append(out, strings.ReplaceAll(text, `\`, ""))
				if strings.ContainsAny(text, `'"`) && len(out) < most {
					out = append(out, quotedTexts(text)...)
				}
			}
		}
	}
	return out
}
