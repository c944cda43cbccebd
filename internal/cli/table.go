package cli

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// column is a column of a table.
type column struct {
	title string
	// shrink allows the column to be cut on a narrow screen: to least columns before
	// other columns are left out, and to minColumn if none can be.
	shrink bool
	least  int
	// wrap continues the text on the next line instead of cutting it.
	wrap bool
	// below moves the cell to lines of its own below its row, without cutting it, if
	// the screen has no room for least columns of it.
	below bool
	// drop is the order in which columns are left out if shrinking is not enough,
	// highest first; 0 means never.
	drop  int
	right bool
}

// cell is a field: a line of text that is safe to show, and its style.
type cell struct {
	text  string
	style style
}

// style is a colour, as an SGR parameter (ECMA-48, section 8.3.117).
type style string

const (
	plain style = ""
	bold  style = "1"
	faint style = "2"
	bad   style = "31"
	good  style = "32"
	warn  style = "33"
	// standout marks what waits for somebody.
	standout style = "1;33"
)

// table prints rows under titles, in columns that fit the screen.
type table struct {
	columns []column
	rows    [][]cell
}

const (
	columnGap = "  "
	minColumn = 4
	// belowIndent precedes text below its row.
	belowIndent = "        "
)

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// print writes the table. Cells that do not fit are cut with an ellipsis, or continued
// on further lines, as their column says.
func (t *table) print(w io.Writer, s screen) error {
	shown, widths := t.fit(s.width)
	out := bufio.NewWriter(w)
	titles := make([]cell, len(t.columns))
	for i, c := range t.columns {
		titles[i] = cell{c.title, bold}
	}
	t.printRow(out, s, titles, shown, widths)
	for _, row := range t.rows {
		t.printRow(out, s, row, shown, widths)
		t.printBelow(out, s, row, shown)
	}
	return out.Flush()
}

// printBelow writes the cells of a row for which there is no column.
func (t *table) printBelow(out *bufio.Writer, s screen, row []cell, shown []int) {
	for i, c := range t.columns {
		if c.below && !slices.Contains(shown, i) {
			for line := range strings.Lines(wrap(row[i].text, belowIndent, s.width)) {
				_, _ = out.WriteString(s.paint(strings.TrimSuffix(line, "\n"), row[i].style) + "\n")
			}
		}
	}
}

func (t *table) printRow(out *bufio.Writer, s screen, row []cell, shown, widths []int) {
	lines := make([][]string, len(row))
	height := 1
	for _, i := range shown {
		lines[i] = t.linesOf(i, row[i].text, widths[i])
		height = max(height, len(lines[i]))
	}
	for n := range height {
		t.printLine(out, s, row, n, lines, shown, widths)
	}
}

// linesOf returns the text of a cell as shown in that many columns.
func (t *table) linesOf(column int, text string, width int) []string {
	if !t.columns[column].wrap || displayWidth(text) <= width {
		return []string{cut(text, width)}
	}
	return strings.Split(strings.TrimSuffix(wrap(text, "", width), "\n"), "\n")
}

// printLine writes line n of a row whose cells have these lines.
func (t *table) printLine(out *bufio.Writer, s screen, row []cell, n int, lines [][]string, shown, widths []int) {
	last := len(shown) - 1
	for n > 0 && last > 0 && len(lines[shown[last]]) <= n {
		last-- // no trailing blanks
	}
	for k, i := range shown[:last+1] {
		if k > 0 {
			_, _ = out.WriteString(columnGap)
		}
		text := ""
		if n < len(lines[i]) {
			text = lines[i][n]
		}
		padding := strings.Repeat(" ", widths[i]-displayWidth(text))
		if t.columns[i].right {
			_, _ = out.WriteString(padding)
			padding = ""
		}
		if k == last {
			padding = ""
		}
		_, _ = out.WriteString(s.paint(text, row[i].style) + padding)
	}
	_ = out.WriteByte('\n')
}

// fit returns the indices of the columns to show, and the widths of all. If not even
// the narrowest columns fit, one is moved below its rows or left out, and the rest gets
// its room.
func (t *table) fit(width int) (shown, widths []int) {
	natural := make([]int, len(t.columns))
	for i, c := range t.columns {
		natural[i] = displayWidth(c.title)
		for _, row := range t.rows {
			natural[i] = max(natural[i], displayWidth(row[i].text))
		}
		shown = append(shown, i)
	}
	for {
		widths = slices.Clone(natural)
		if width == 0 || t.shrinkTo(shown, widths, width, func(c column) int { return max(c.least, minColumn) }) {
			return shown, widths
		}
		if below := slices.IndexFunc(shown, func(i int) bool { return t.columns[i].below }); below >= 0 {
			shown = slices.Delete(shown, below, below+1)
			continue
		}
		last := slices.MaxFunc(shown, func(a, b int) int { return t.columns[a].drop - t.columns[b].drop })
		if t.columns[last].drop == 0 {
			t.shrinkTo(shown, widths, width, func(column) int { return minColumn })
			return shown, widths
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == last })
	}
}

// shrinkTo repeatedly narrows the widest column that may shrink until all fit into
// width. It returns false if they do not.
func (t *table) shrinkTo(shown, widths []int, width int, least func(column) int) bool {
	for total(shown, widths) > width {
		widest := -1
		for _, i := range shown {
			if c := t.columns[i]; c.shrink && widths[i] > least(c) && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
	}
	return true
}

func total(shown, widths []int) int {
	sum := len(columnGap) * (len(shown) - 1)
	for _, i := range shown {
		sum += widths[i]
	}
	return sum
}

// paint adds a colour to text, on screens that have colours.
func (s screen) paint(text string, how style) string {
	if !s.colour || how == plain || text == "" {
		return text
	}
	return "\x1b[" + string(how) + "m" + text + "\x1b[0m"
}
