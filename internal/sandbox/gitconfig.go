package sandbox

import "strings"

// setting is one line of a git configuration file.
type setting struct {
	key   string // the last part of the name, in lower case
	value string
}

// parseGitConfig parses git's configuration syntax (git-config(1), "SYNTAX"). The
// names of sections do not matter here. Text that does not follow the syntax is
// skipped; git refuses such a file as a whole.
func parseGitConfig(text string) []setting {
	var all []setting
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\uFEFF"), "\r\n", "\n") // git ignores a byte order mark
	for text != "" {
		text = strings.TrimLeft(text, " \t\n")
		if strings.HasPrefix(text, "[") {
			text = afterSection(text)
			continue
		}
		end := strings.IndexAny(text, "=\n#;")
		if end < 0 || text[end] != '=' {
			_, text, _ = strings.Cut(text, "\n") // a comment, or a key without a value
			continue
		}
		key := strings.ToLower(strings.TrimSpace(text[:end]))
		var value string
		value, text = configValue(text[end+1:])
		all = append(all, setting{key, value})
	}
	return all
}

// afterSection returns the text after a header such as [filter "a]b"].
func afterSection(text string) string {
	quoted := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n', c == ']' && !quoted:
			return text[i+1:]
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		}
	}
	return ""
}

// configValue returns a value, and the text after its line.
func configValue(text string) (value, rest string) {
	var b strings.Builder
	quoted := false
	i := 0
scan:
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n', !quoted && (c == '#' || c == ';'):
			break scan
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(text):
			i++
			if text[i] != '\n' { // the value continues on the next line
				b.WriteByte(unescaped(text[i]))
			}
		default:
			b.WriteByte(c)
		}
	}
	_, rest, _ = strings.Cut(text[i:], "\n")
	return strings.TrimSpace(b.String()), rest
}

func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	}
	return c
}

// words splits a value approximately as a shell would, since aliases and filters
// are commands.
func (s setting) words() []string {
	return strings.FieldsFunc(strings.TrimPrefix(s.value, "!"), func(r rune) bool {
		return strings.ContainsRune(" \t\n'\";&|()<>=", r)
	})
}

// namesData reports whether the setting names a file that git only reads, such as
// core.excludesFile and commit.template.
func (s setting) namesData() bool {
	return strings.HasSuffix(s.key, "file") || s.key == "template"
}
