package agents

import (
	"path"
	"regexp"
	"strings"

	"example.org/bridge/internal/lazyregexp"
)

// shell is the kind of shell that parses the command lines in a client's configuration.
type shell int

const (
	// posixShell is sh, or the user's replacement for it.
	posixShell shell = iota
	// gitBash is a POSIX shell on Windows. It accepts slashes in paths, and double
	// quotes.
	gitBash
	// powerShell treats a quoted path as a string unless & precedes it.
	powerShell
)

// shellOf returns the shell that runs a client's hooks on a system, given as in
// runtime.GOOS. On Windows Gemini CLI 0.61.0 uses PowerShell, according to its source,
// and Claude Code uses Git Bash, according to its documentation.
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
	// In PowerShell, @ and , are operators.
	plainPowerShell = lazyregexp.New(`^[A-Za-z0-9_+=:./-]+$`)
)

// line returns words as one command line for the shell.
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

// callOperator makes PowerShell run the program named in a string.
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

// isHook reports whether a hook's command line, quoted or not, runs `bridge hook` for
// the client.
func isHook(line string, client Client) bool {
	first, rest, ok := firstWord(line)
	return ok && isBridge(first) && (rest == "hook "+string(client) || strings.HasPrefix(rest, "hook "+string(client)+" "))
}

// These match the first word of a line in a POSIX shell and in PowerShell.
var (
	posixWord  = lazyregexp.New(`^(?:'((?:[^']|'\\'')*)'|"([^"$` + "`" + `\\]*)"|([A-Za-z0-9_@%+=:,./-]+))(?: |$)`)
	callWord   = lazyregexp.New(`^'((?:[^']|'')*)'()()(?: |$)`)
	hookByName = lazyregexp.New(`^()(?:"([^"]+)"|(\S+)) `)
)

// firstWord splits off the first word of a line. The rest may be anything.
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

// Words splits a hook's command line as its shell would. It returns false if the line
// contains anything but plain and quoted words, because the only way to find out what a
// shell makes of the rest is to run it.
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

// isBridge reports whether a program is called bridge.
func isBridge(program string) bool {
	base := path.Base(strings.ReplaceAll(program, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(base), ".exe") == "bridge"
}
