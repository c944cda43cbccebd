package ui

import "strings"

// block is a part of a message: a fenced code block, or the text between such blocks. No
// other mark-up is interpreted.
type block struct {
	Text string
	Code bool
}

const fence = "```"

// blocks splits a text into blocks. Lines stay unchanged, including the fences; an unclosed
// fence does not start a code block.
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

// nextCode returns the start and end of the first code block, or the length of the text for
// both if there is none.
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

// lineWith returns the index of the first line, at or after the given index, that begins
// with a fence.
func lineWith(text string, at int) int {
	if at == 0 && strings.HasPrefix(text, fence) {
		return 0
	}
	if i := strings.Index(text[at:], "\n"+fence); i >= 0 {
		return at + i + 1
	}
	return -1
}
