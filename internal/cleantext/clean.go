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

// Clean returns what may be shown of text that an agent or a command wrote, to
// a terminal or to another agent:
//
//   - terminal escape sequences and the C0 and C1 controls go, except tab and
//     newline; every other line break becomes a newline;
//   - characters that do not show go: bidirectional controls, zero-width
//     characters, Unicode tags, variation selectors, fillers;
//   - bytes that are not UTF-8, lone surrogates among them, become U+FFFD;
//   - mark-up that imitates what clients wrap their own words in is defused:
//     its "<" becomes "&lt;".
//
// Clean changes nothing else, and cleaning twice equals cleaning once.
func Clean(text string) string {
	if isPlain(text) {
		return text
	}
	return defuse(removeInvisible(text))
}

// CleanLine is Clean for one line: breaks and tabs become spaces.
func CleanLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, Clean(text))
}

// Quote cleans text and puts "> " in front of each line, so that nothing in it
// can pass for a line of the bridge's own.
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
			out.WriteRune(r) // U+FFFD where the bytes are not UTF-8
		}
		text = text[size:]
	}
	return out.String()
}

// escapeSequence returns the length of the control sequence (ECMA-48, section
// 5.4) that text begins with, or 0. Of strings such as a window title only the
// introducer is a control; what they carry is shown.
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

// isInvisible reports whether r leaves no mark of its own on the screen, or is
// a control. Arabic signs that Unicode files under "format" do leave a mark.
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
// clients put what is not the user's or a tool's words. A trailing "*" stands
// for any ending. Names that are as common in ordinary mark-up are left out:
// agents talk about code.
var clientMarkup = []string{
	"system", "system-*", "assistant", "assistant-*", "human", "developer-message", "user-*",
	"untrusted*", "trusted*", "instruction", "instructions", "important-instruction*",
	"function-*", "functions", "invoke", "tool-*", "antml*", "thinking", "think",
	"command-*", "local-command-*", "bash-*", "environment-*", "permission*", "hook-*", "session-context*",
	"task-notification*", "teammate-*", "persisted-output", "new-diagnostics", "ide-*", "bridge*",
	"collaboration-mode", "skill", "skills-*", "apps-*", "plugins-*", "turn-aborted", "subagent-*", "budget*",
	"sys", // Llama's <<SYS>>
}

// defuse takes the edge off tags named in clientMarkup and off the special
// tokens of chat templates, such as <|im_start|>.
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

// maxTagName bounds how far defuse looks for the end of a name.
const maxTagName = 64

// beforeName reports whether r may stand between a "<" and the name of a tag
// that is still read as one.
func beforeName(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("/\\!?\uFF0F\uFF3C\uFF01\uFF1F", r)
}

// imitatesClient reports whether what follows a "<" makes it a tag of a
// client's own.
func imitatesClient(rest string) bool {
	// This ends at the next "<" at the latest: defuse stays linear.
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

// foldName folds case, full-width characters to the ordinary ones, and what
// joins words to "-".
func foldName(r rune) rune {
	if r >= 0xFF01 && r <= 0xFF5E {
		r -= 0xFF01 - '!'
	}
	if r == '_' || r == ':' || r == '.' || unicode.Is(unicode.Pd, r) {
		return '-'
	}
	return unicode.ToLower(unicode.ToUpper(r)) // by way of the capital: a long s is an s
}

// Escape writes what an agent wrote so that nothing of it can pass for
// something else on a screen: printable ASCII, the rest as escapes.
func Escape(text string) string {
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Field cleans what an agent wrote for a table: one line without runs of spaces,
// which could pass for the gap between two columns.
func Field(text string) string {
	return strings.Join(strings.Fields(CleanLine(text)), " ")
}

// Quoted cleans what an agent wrote for the middle of a line: nothing in it can
// end the quotes.
func Quoted(text string) string { return strconv.Quote(Field(text)) }
