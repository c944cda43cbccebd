package cli

import (
	"strings"
	"unicode"
)

// wide are the ranges of characters that take two columns (Unicode Standard Annex 11,
// the large blocks of classes W and F). A terminal that disagrees only shows a table
// slightly misaligned.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115F, Stride: 1}, // Hangul Jamo
		{Lo: 0x2E80, Hi: 0x303E, Stride: 1}, // CJK radicals, punctuation
		{Lo: 0x3041, Hi: 0xA4CF, Stride: 1}, // Kana to Yi
		{Lo: 0xA960, Hi: 0xA97F, Stride: 1}, // Hangul Jamo extended
		{Lo: 0xAC00, Hi: 0xD7A3, Stride: 1}, // Hangul syllables
		{Lo: 0xF900, Hi: 0xFAFF, Stride: 1}, // CJK compatibility
		{Lo: 0xFE30, Hi: 0xFE6F, Stride: 1}, // CJK compatibility forms
		{Lo: 0xFF00, Hi: 0xFF60, Stride: 1}, // full-width forms
		{Lo: 0xFFE0, Hi: 0xFFE6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1F300, Hi: 0x1F64F, Stride: 1}, // pictographs
		{Lo: 0x1F680, Hi: 0x1F6FF, Stride: 1},
		{Lo: 0x1F900, Hi: 0x1FAFF, Stride: 1},
		{Lo: 0x20000, Hi: 0x3FFFD, Stride: 1}, // CJK extensions
	},
}

// runeWidth returns the number of columns that r takes on a screen.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

func displayWidth(text string) int {
	width := 0
	for _, r := range text {
		width += runeWidth(r)
	}
	return width
}

const ellipsis = "…"

// cut returns text in at most width columns, with an ellipsis if it was longer.
func cut(text string, width int) string {
	if displayWidth(text) <= width {
		return text
	}
	head, _ := splitAt(text, width-1)
	return strings.TrimRight(head, " ") + ellipsis
}

// splitAt splits text after what fits into width columns.
func splitAt(text string, width int) (head, rest string) {
	for i, r := range text {
		if width -= runeWidth(r); width < 0 {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// wrap breaks the lines of text so that each fits into width columns with prefix in
// front of it (0: any width). It breaks between words, and inside a word only if the
// word does not fit on a line. If the terminal broke the lines itself, text would begin
// at the left edge, where only bridge may write.
func wrap(text, prefix string, width int) string {
	room := max(width-displayWidth(prefix), minColumn)
	var out strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		for {
			head, rest := line, ""
			if width > 0 {
				head, rest = breakAt(line, room)
			}
			out.WriteString(prefix + head + "\n")
			if rest == "" {
				break
			}
			line = rest
		}
	}
	return out.String()
}

// breakAt splits a line after what fits into width columns: at the last blank, if there
// is one after its first word, otherwise within the word as breakWord does.
func breakAt(line string, width int) (head, rest string) {
	head, rest = splitAt(line, width)
	if rest == "" || rest[0] == ' ' {
		return head, strings.TrimPrefix(rest, " ")
	}
	at := strings.LastIndexByte(head, ' ')
	if at < 0 || strings.TrimSpace(head[:at]) == "" {
		return breakWord(line, width)
	}
	return head[:at], head[at+1:] + rest
}

// breakWord splits a word that does not fit into width columns: after the last slash in
// the second half of what fits, or where that ends.
func breakWord(word string, width int) (head, rest string) {
	head, rest = splitAt(word, width)
	if at := strings.LastIndexByte(head, '/') + 1; rest != "" && at > len(head)/2 {
		return word[:at], word[at:]
	}
	return head, rest
}

// wrapWords breaks text between words so that it fits into width columns with its
// prefixes: first for the first line, then for the others. A word that does not fit on
// a line is broken.
func wrapWords(text, first, then string, width int) string {
	var out strings.Builder
	line, used, prefix := "", 0, first
	flush := func() {
		out.WriteString(prefix + line + "\n")
		line, used, prefix = "", 0, then
	}
	for word := range strings.FieldsSeq(text) {
		for {
			room := width - displayWidth(prefix) - used - 1
			if used == 0 {
				room = max(room+1, minColumn)
			}
			if width == 0 || displayWidth(word) <= room {
				break
			}
			if used == 0 {
				line, word = breakWord(word, room)
			}
			flush()
		}
		if used > 0 {
			line += " "
		}
		line += word
		used = displayWidth(line)
	}
	flush()
	return out.String()
}
