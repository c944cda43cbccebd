package ui

import "strings"

// block is a part of a message: code between two lines of three backticks, or what
// stands between such blocks. Nothing else is read as mark-up.
type block struct {
	Text string
	Code bool
}

const fence = "```"

// blocks divides a text. Its lines stay as they are, those of the fences included; a
// fence that is not closed begins no code.
func blocks(text string) (all []block) {
	for text != "" {
		from, to := nextCode(text)
		if from > 0 {
			all = append(all, block{Text: strings.TrimSuffix(text[:from], "\n")})
		}
		if to > from {
			all = append(all, block{Text: strings.TrimSuffix(text[from:to], "\n"), Code: true})
		}
		text = text[to:]
	}
	return all
}

// nextCode finds the first block of code; both are the length of the text where there
// is none.
func nextCode(text string) (from, to int) {
	from = lineWith(text, 0)
	if from < 0 {
		return len(text), len(text)
	}
	inner := from + len(fence)
	end := lineWith(text, inner)
	if end < 0 {
		return len(text), len(text)
	}
	if line := strings.IndexByte(text[end:], '\n'); line >= 0 {
		return from, end + line + 1
	}
	return from, len(text)
}

// lineWith finds the first line that begins with a fence, from an index on.
func lineWith(text string, at int) int {
	if at == 0 && strings.HasPrefix(text, fence) {
		return 0
	}
	if i := strings.Index(text[at:], "\n"+fence); i >= 0 {
		return at + i + 1
	}
	return -1
}
