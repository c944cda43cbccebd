package agents

import (
	"path"
	"regexp"
	"strings"

	"example.org/bridge/internal/lazyregexp"
)

// shell is what reads a command line that a client keeps.
type shell int

const (
	// posixShell is sh, or what the user has for it.
	posixShell shell = iota
	// gitBash is a POSIX shell on Windows, which takes slashes and double quotes.
	gitBash
	// powerShell takes a path in quotes for a text, unless & is before it.
	powerShell
)

// shellOf is what runs a client's hooks on a system, as runtime.GOOS names it. On
// Windows Gemini CLI 0.61.0 runs them with PowerShell, by its source, and Claude Code
// with Git Bash, by its documentation.
func shellOf(client Client, goos string) shell {
	switch {
	case goos != "windows":
		return posixShell
	case client == Gemini:
		return powerShell
	}
	return gitBash
}

var (
	plainWord = lazyregexp.New(`^[A-Za-z0-9_@%+=:,./-]+$`)
	// PowerShell reads @ and , as operators.
	plainPowerShell = lazyregexp.New(`^[A-Za-z0-9_+=:./-]+$`)
)

// line writes words as one line for the shell.
func (sh shell) line(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = sh.word(word)
	}
	line := strings.Join(quoted, " ")
	if strings.HasPrefix(line, "'") && sh == powerShell {
		return callOperator + line
	}
	return line
}

// callOperator makes PowerShell run the program that a text names.
const callOperator = "& "

func (sh shell) word(word string) string {
	if sh != posixShell {
		word = strings.ReplaceAll(word, `\`, "/")
	}
	plain := plainWord
	if sh == powerShell {
		plain = plainPowerShell
	}
	switch {
	case plain().MatchString(word):
		return word
	case sh == gitBash:
		return `"` + word + `"`
	case sh == powerShell:
		return "'" + strings.ReplaceAll(word, "'", "''") + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// isHook reports that a hook's command line starts a bridge, quoted or not, and
// says what it is asked.
func isHook(line string, client Client) bool {
	first, rest, ok := firstWord(line)
	return ok && isBridge(first) && (rest == "hook "+string(client) || strings.HasPrefix(rest, "hook "+string(client)+" "))
}

// The first word of a line, of a shell like sh, and of PowerShell.
var (
	posixWord  = lazyregexp.New(`^(?:'((?:[^']|'\\'')*)'|"([^"$` + "`" + `\\]*)"|([A-Za-z0-9_@%+=:,./-]+))(?: |$)`)
	callWord   = lazyregexp.New(`^'((?:[^']|'')*)'()()(?: |$)`)
	hookByName = lazyregexp.New(`^()(?:"([^"]+)"|(\S+)) `)
)

// firstWord splits the first word from a line that may have anything after it.
func firstWord(line string) (word, rest string, ok bool) {
	if call, found := strings.CutPrefix(line, callOperator); found {
		return cutWord(call, callWord(), "''")
	}
	if word, rest, ok = cutWord(line, posixWord(), `'\''`); ok {
		return word, rest, true
	}
	return cutWord(line, hookByName(), "")
}

func cutWord(line string, form *regexp.Regexp, quote string) (word, rest string, ok bool) {
	match := form.FindStringSubmatch(line)
	if match == nil {
		return "", "", false
	}
	if quote != "" {
		match[1] = strings.ReplaceAll(match[1], quote, "'")
	}
	return match[1] + match[2] + match[3], line[len(match[0]):], true
}

// Words splits a hook's command line as its shell would, and returns false for
// one that holds anything but plain and quoted words: what a shell would make
// of that, nobody has to find out by running it.
func Words(line string) (words []string, ok bool) {
	line, call := strings.CutPrefix(line, callOperator)
	for line != "" {
		word, rest, plain := cutWord(line, posixWord(), `'\''`)
		if call {
			if quoted, behind, found := cutWord(line, callWord(), "''"); found {
				word, rest, plain = quoted, behind, true
			}
		}
		if !plain {
			return nil, false
		}
		words, line = append(words, word), rest
	}
	return words, len(words) > 0
}

// isBridge reports that a program is called bridge, as far as its name tells.
func isBridge(program string) bool {
	base := path.Base(strings.ReplaceAll(program, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(base), ".exe") == "bridge"
}
