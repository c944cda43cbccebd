// Package cleantext makes what an agent or a command wrote safe to show: to a
// terminal, to another agent, in a table. It is the one place that decides which
// characters reach a reader.
package cleantext

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns the parts of a text written by an agent or a command that may
// be shown, to a terminal or to another agent:
//
//   - terminal escape sequences and C0 and C1 controls are removed, except tab
//     and newline; every other line break becomes a newline;
//   - invisible characters are removed: bidirectional controls, zero-width
//     characters, Unicode tags, variation selectors, fillers;
//   - bytes that are not UTF-8, including lone surrogates, become U+FFFD;
//   - mark-up that imitates the tags in which clients wrap their own text is
//     defused: its "<" becomes "&lt;".
//
// Clean changes nothing else, and cleaning a text twice equals cleaning it
// once.
func Clean(text string) string {
	if isPlain(text) {
		return text
	}
	return defuse(removeInvisible(text))
}

// CleanLine is Clean for a single line: line breaks and tabs become spaces.
func CleanLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, Clean(text))
}

// Quote cleans text and prefixes each line with "> ", so that it cannot be
// mistaken for a line of the bridge itself.
func Quote(text string) string {
	return "> " + strings.ReplaceAll(Clean(text), "\n", "\n> ")
}

// isPlain reports whether text is ASCII that needs no cleaning.
func isPlain(text string) bool {
	for i := range len(text) {
		if b := text[i]; b >= utf8.RuneSelf || b == '<' || b < ' ' && b != '\n' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

func removeInvisible(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for len(text) > 0 {
		if n := escapeSequence(text); n > 0 {
			text = text[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == '\r':
			if !strings.HasPrefix(text[size:], "\n") {
				out.WriteByte('\n')
			}
		case r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029:
			out.WriteByte('\n')
		case r == '\n' || r == '\t' || !isInvisible(r):
			out.WriteRune(r) // U+FFFD for bytes that are not UTF-8
		}
		text = text[size:]
	}
	return out.String()
}

// escapeSequence returns the length of the control sequence (ECMA-48, section
// 5.4) at the beginning of text, or 0. For strings such as a window title, only
// the introducer counts as a control, so that their content is shown.
func escapeSequence(text string) int {
	var n int
	switch {
	case strings.HasPrefix(text, "\x1b["):
		n = 2
	case strings.HasPrefix(text, "\u009b"):
		n = len("\u009b")
	default:
		return 0
	}
	for n < len(text) && text[n] >= 0x20 && text[n] <= 0x3f { // parameters, intermediates
		n++
	}
	if n < len(text) && text[n] >= 0x40 && text[n] <= 0x7e { // final byte
		n++
	}
	return n
}

// isInvisible reports whether r is a control or a character without a visible
// mark. Some Arabic signs are in Unicode's "format" category but are visible.
func isInvisible(r rune) bool {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r < 0x300:
		return r == 0xad // soft hyphen
	case r >= 0xE0000 && r <= 0xE0FFF: // tags, more variation selectors
		return true
	case r >= 0xFE00 && r <= 0xFE0F: // variation selectors
		return true
	}
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		r >= 0x180B && r <= 0x180F // Mongolian selectors
}

// clientMarkup lists the names, with "-" for "_", of the elements in which
// clients wrap text that comes neither from the user nor from a tool. A
// trailing "*" matches any ending. Names that are common in ordinary mark-up
// are left out, because agents talk about code.
var clientMarkup = []string{
	"system", "system-*", "assistant", "assistant-*", "human", "developer-message", "user-*",
	"untrusted*", "trusted*", "instruction", "instructions", "important-instruction*",
	"function-*", "functions", "invoke", "tool-*", "antml*", "thinking", "think",
	"command-*", "local-command-*", "bash-*", "environment-*", "permission*", "hook-*", "session-context*",
	"task-notification*", "teammate-*", "persisted-output", "new-diagnostics", "ide-*", "bridge*",
	"collaboration-mode", "skill", "skills-*", "apps-*", "plugins-*", "turn-aborted", "subagent-*", "budget*",
	"sys", // Llama's <<SYS>>
}

// defuse escapes the "<" of tags named in clientMarkup and of special tokens of
// chat templates, such as <|im_start|>.
func defuse(text string) string {
	var out strings.Builder
	for {
		i := strings.IndexAny(text, "<\uFF1C")
		if i < 0 {
			break
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		out.WriteString(text[:i])
		if imitatesClient(text[i+size:]) {
			out.WriteString("&lt;")
		} else {
			out.WriteString(text[i : i+size])
		}
		text = text[i+size:]
	}
	if out.Len() == 0 {
		return text
	}
	return out.String() + text
}

// maxTagName limits how far defuse searches for the end of a name.
const maxTagName = 64

// beforeName reports whether r may occur between a "<" and the name of a tag
// that is still recognised as one.
func beforeName(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("/\\!?\uFF0F\uFF3C\uFF01\uFF1F", r)
}

// imitatesClient reports whether the text after a "<" makes it a tag of a
// client.
func imitatesClient(rest string) bool {
	// The search ends at the next "<" at the latest, so that defuse takes
	// linear time.
	rest = strings.TrimLeftFunc(rest, beforeName)
	rest = rest[:min(len(rest), maxTagName)]
	if strings.HasPrefix(rest, "|") || strings.HasPrefix(rest, "\uFF5C") {
		return strings.Contains(rest, "|>") || strings.Contains(rest, "\uFF5C>") || strings.Contains(rest, "\uFF5C\uFF1E")
	}
	end := strings.IndexFunc(rest, func(r rune) bool {
		r = foldName(r)
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-'
	})
	if end < 0 {
		end = len(rest)
	}
	name := strings.Map(foldName, rest[:end])
	for _, known := range clientMarkup {
		prefix, open := strings.CutSuffix(known, "*")
		if name == prefix || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// foldName folds case, converts full-width characters to ordinary ones, and
// characters that join words to "-".
func foldName(r rune) rune {
	if r >= 0xFF01 && r <= 0xFF5E {
		r -= 0xFF01 - '!'
	}
	if r == '_' || r == ':' || r == '.' || unicode.Is(unicode.Pd, r) {
		return '-'
	}
	return unicode.ToLower(unicode.ToUpper(r)) // to upper case first, because a long s becomes an s
}

// Escape returns printable ASCII as it is and everything else as escapes, so
// that nothing in a text written by an agent can be mistaken for something else
// on a screen.
func Escape(text string) string {
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Field cleans text written by an agent for use in a table: one line without
// runs of spaces, which could look like the gap between two columns.
func Field(text string) string {
	return strings.Join(strings.Fields(CleanLine(text)), " ")
}

// Quoted cleans text written by an agent for use in quotes within a line:
// nothing in it can end the quotes.
func Quoted(text string) string { return strconv.Quote(Field(text)) }
