package agents

import (
	"path"
	"regexp"
	"runtime"
	"strings"
)

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellLine writes words as one line for the shell that runs hooks: a POSIX
// shell, and on Windows Git Bash, which takes slashes and double quotes too.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = shellWord(word, runtime.GOOS == "windows")
	}
	return strings.Join(quoted, " ")
}

func shellWord(word string, windows bool) string {
	if windows {
		word = strings.ReplaceAll(word, `\`, "/")
	}
	switch {
	case plainWord.MatchString(word):
		return word
	case windows:
		return `"` + word + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// A hook line of ours: the program, quoted or not, and what it is asked.
var hookLine = regexp.MustCompile(`^(?:'((?:[^']|'\\'')+)'|"([^"]+)"|(\S+)) hook (claude|codex|gemini)(?: |$)`)

// isHook reports that a hook's command line starts a bridge.
func isHook(line string, client Client) bool {
	match := hookLine.FindStringSubmatch(line)
	if match == nil || Client(match[4]) != client {
		return false
	}
	program := strings.ReplaceAll(match[1], `'\''`, "'") + match[2] + match[3]
	return isBridge(program)
}

var oneWord = regexp.MustCompile(`^(?:'((?:[^']|'\\'')*)'|"([^"$` + "`" + `\\]*)"|([A-Za-z0-9_@%+=:,./-]+))(?: |$)`)

// Words splits a hook's command line as its shell would, and returns false for
// one that holds anything but plain and quoted words: what a shell would make
// of that, nobody has to find out by running it.
func Words(line string) (words []string, ok bool) {
	for line != "" {
		match := oneWord.FindStringSubmatch(line)
		if match == nil {
			return nil, false
		}
		words = append(words, strings.ReplaceAll(match[1], `'\''`, "'")+match[2]+match[3])
		line = line[len(match[0]):]
	}
	return words, len(words) > 0
}

// isBridge reports that a program is called bridge, as far as its name tells.
func isBridge(program string) bool {
	base := path.Base(strings.ReplaceAll(program, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(base), ".exe") == "bridge"
}
