package redact

import "strings"

// Columns of tables, in CSV and in Markdown, whose headings indicate passwords or
// keys.

// maxRows limits the rows of one table, and maxColumns its columns.
const (
	maxRows    = 2000
	maxColumns = 40
)

// columnAt looks at the name n, which has no value. If it is the heading of a
// column, the cells below it that look like such values are hidden.
func (f *finder) columnAt(n name) {
	text := f.text
	if n.start < f.tableEnd || n.class < classMiddling || !f.bordered(n) {
		return
	}
	start := strings.LastIndexByte(text[max(0, n.start-maxValue):n.start], '\n') + 1 + max(0, n.start-maxValue)
	end := lineEnd(text, n.end)
	for _, sep := range [...]byte{',', '|', ';', '\t'} {
		cells := splitRow(text, start, end, sep)
		column := -1
		for k, c := range cells {
			if c.start <= n.start && n.end <= c.end {
				column = k
			}
		}
		if len(cells) < 2 || column < 0 || cells[column] != (run{n.start, n.end}) {
			continue
		}
		if sep == '|' && column+1 < len(cells) && isRowSecret(n, text[cells[column+1].start:cells[column+1].end]) {
			f.add(cells[column+1].start, cells[column+1].end, n.kind, rankName)
			return
		}
		if !isHead(text, cells) {
			continue
		}
		f.column(n, sep, end, len(cells), column)
		return
	}
}

// bordered reports whether n is the whole content of a cell.
func (f *finder) bordered(n name) bool {
	text := f.text
	i, j := n.start, n.end
	for i > 0 && (isBlank(text[i-1]) && text[i-1] != '\t' || isQuote(text[i-1])) {
		i--
	}
	for j < len(text) && (isBlank(text[j]) && text[j] != '\t' || isQuote(text[j]) || text[j] == '\r') {
		j++
	}
	left := i == 0 || strings.IndexByte(",|;\t\n", text[i-1]) >= 0
	right := j == len(text) || strings.IndexByte(",|;\t\n", text[j]) >= 0
	return left && right && (i > 0 || j < len(text))
}

// column hides the cells of a column in the rows after i that have as many cells
// as the header.
func (f *finder) column(n name, sep byte, i, count, column int) {
	text := f.text
	for range maxRows {
		if i >= len(text) {
			break
		}
		start := i + 1
		end := lineEnd(text, start)
		if start >= end {
			break
		}
		cells := splitRow(text, start, end, sep)
		if len(cells) != count {
			break
		}
		if c := cells[column]; isCellSecret(n, text[c.start:c.end]) {
			f.add(c.start, c.end, n.kind, rankName)
			f.cells = append(f.cells, c)
		}
		i = end
	}
	f.tableEnd = max(f.tableEnd, i)
}

// hiddenCell returns the end of the hidden cell that contains i, or 0. A password
// in a cell may look like a name and an operator, whose value would seem to
// extend into the next cells.
func (f *finder) hiddenCell(i int) int {
	for len(f.cells) > 0 && f.cells[0].end <= i {
		f.cells = f.cells[1:]
	}
	if len(f.cells) > 0 && f.cells[0].start <= i {
		return f.cells[0].end
	}
	return 0
}

// isCellSecret reports whether s, a cell below the heading n, is a secret.
func isCellSecret(n name, s string) bool {
	if len(s) < 4 || isPlaceholder(s) || isReference(s) || isEncrypted(s) || isDigest(s) {
		return false
	}
	if n.class >= classStrong {
		return strings.IndexByte(s, ' ') < 0 && (hasMixture(s) || mixedCase(s)) && !isAlgorithm(s) && !(isLiteralNumber(s) && len(s) < minWord)
	}
	return len(s) >= minWeak && generated(s)
}

// isRowSecret reports whether s, the cell after one that contains only the name
// n, is a secret: | password | x9kQ!2z |.
func isRowSecret(n name, s string) bool {
	if !isCellSecret(n, s) || beginsCall(s) {
		return false
	}
	return n.class < classStrong || isTangle(s) || generated(s) || mixedWord(s) && (!wordy(s) || rareSigns(s) > 0)
}

// isHead reports whether cells are the headings of columns: words, and no values.
func isHead(text string, cells []run) bool {
	for _, c := range cells {
		s := text[c.start:c.end]
		if s == "" || len(s) > 40 || isDigit(s[0]) || strings.ContainsAny(s, "=:{}()[]<>\"'`$@") {
			return false
		}
	}
	return true
}

// splitRow splits the line from start to end at sep into cells, without the
// quotes and blanks around them. A row in Markdown has a border on each side.
func splitRow(text string, start, end int, sep byte) []run {
	var cells []run
	if sep == '|' {
		for start < end && isBlank(text[start]) {
			start++
		}
		if start < end && text[start] == '|' {
			start++
		}
	}
	for end > start && (text[end-1] == '\r' || sep == '|' && (isBlank(text[end-1]) || text[end-1] == '|')) {
		end--
		if sep == '|' && text[end] == '|' {
			break
		}
	}
	for i := start; len(cells) < maxColumns; {
		c := cellAt(text, i, end, sep)
		cells = append(cells, trimCell(text, i, c))
		if c >= end {
			break
		}
		i = c + 1
	}
	return cells
}

// cellAt returns the end of the cell that begins at i, which is its separator
// outside quotes.
func cellAt(text string, i, end int, sep byte) int {
	j := i
	if sep != '|' && j < end && text[j] == '"' {
		for j++; j < end; j++ {
			if text[j] == '"' {
				if j+1 < end && text[j+1] == '"' {
					j++
					continue
				}
				break
			}
		}
	}
	for j < end && text[j] != sep {
		j++
	}
	return j
}

// trimCell returns the cell from i to j without blanks and quotes around it.
func trimCell(text string, i, j int) run {
	for i < j && isBlank(text[i]) {
		i++
	}
	for j > i && isBlank(text[j-1]) {
		j--
	}
	if j-i >= 2 && isQuote(text[i]) && text[j-1] == text[i] {
		i, j = i+1, j-1
	}
	return run{i, j}
}

func lineEnd(text string, i int) int {
	if k := strings.IndexByte(text[min(len(text), i):], '\n'); k >= 0 {
		return i + k
	}
	return len(text)
}
