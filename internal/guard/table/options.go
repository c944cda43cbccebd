package table

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"example.org/bridge/internal/guard/verdict"
)

// valueKind says what an option's value is, and so how it is checked.
type valueKind int

const (
	none      valueKind = iota
	text                // data: matched, printed or compared, never opened
	keyword             // one plain word, such as "auto" or "long-iso"
	number              // digits, with a sign or a size suffix
	readFile            // a file that is read: workspace and read roots
	workPath            // a path in the workspace that is read
	writePath           // a path in the workspace that is written
	custom              // the row's own check
)

// row is one line of a table: options that are allowed for the same reason. names
// holds them as typed, separated by spaces.
type row struct {
	names string
	value valueKind
	why   string
	// optional: the value may be left out. If it is given, it must be attached.
	optional bool
	// wordNext: an optional value may also be the next word, if that is not an
	// option.
	wordNext bool
	// check judges the value of a custom row.
	check func(g *guard, value string) error
	// runAs replaces the option with a weaker one of the same form.
	runAs string
}

// spec is a compiled table, with the conventions of the program that parses the
// options.
type spec struct {
	// rows returns the row of each option. It is built when the program is first
	// judged: most processes need none of the hundred tables.
	rows func() map[string]*row
	// digits: -20 is a count.
	digits bool
	// stopAtOperand: options end at the first operand (interpreters).
	stopAtOperand bool
	// wholeTokens: no clusters and no attached values (npm, find).
	wholeTokens bool
	// dashValues: one dash is equivalent to two, and -name=value has a value
	// (go).
	dashValues bool
	// separateValues: a short option's value is the next word (tree).
	separateValues bool
}

type habit func(*spec)

func withDigits(s *spec)      { s.digits = true }
func stopAtOperand(s *spec)   { s.stopAtOperand = true }
func withWholeTokens(s *spec) { s.wholeTokens = true }
func withDashValues(s *spec)  { s.wholeTokens, s.dashValues = true, true }
func separateValues(s *spec)  { s.separateValues = true }

// table compiles rows. A test checks that no option is in two rows.
func table(rows []row, habits ...habit) *spec {
	s := &spec{rows: sync.OnceValue(func() map[string]*row { return byName(rows) })}
	for _, h := range habits {
		h(s)
	}
	return s
}

func byName(rows []row) map[string]*row {
	out := make(map[string]*row, 2*len(rows))
	for i := range rows {
		for name := range strings.FieldsSeq(rows[i].names) {
			out[name] = &rows[i]
		}
	}
	return out
}

// join concatenates the rows of several tables.
func join(lists ...[]row) []row {
	var out []row
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// found is one option of a command line.
type found struct {
	name  string
	value string
	has   bool
	row   *row
}

// parsed is a command line whose options have been read. argv keeps every token;
// operands are indexes into it.
type parsed struct {
	argv     []Word
	options  []found
	operands []int
	// dashes is the index in operands of the first one after --, or -1.
	dashes int
}

func (p *parsed) has(names ...string) bool {
	for _, o := range p.options {
		for _, name := range names {
			if o.name == name {
				return true
			}
		}
	}
	return false
}

func (p *parsed) operand(i int) Word { return p.argv[p.operands[i]] }

// read splits arguments into options and operands as getopt_long does. It refuses
// every option that is not named exactly in the table.
func (s *spec) read(g *guard, args []Word) (*parsed, error) {
	p := &parsed{argv: append([]Word(nil), args...), dashes: -1}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg.Text == "--" && !arg.IsGlob():
			p.dashes = len(p.operands)
			for j := i + 1; j < len(args); j++ {
				p.operands = append(p.operands, j)
			}
			return p, nil
		case arg.Text == "-" || !strings.HasPrefix(arg.Text, "-"):
			p.operands = append(p.operands, i)
			if s.stopAtOperand {
				for j := i + 1; j < len(args); j++ {
					p.operands = append(p.operands, j)
				}
				return p, nil
			}
		case arg.IsGlob():
			return nil, verdict.Refuse(verdict.ShellGlob, "option %s contains an unquoted glob: quote it", verdict.Short(arg.Text))
		default:
			used, err := s.option(g, p, i)
			if err != nil {
				return nil, err
			}
			i += used
		}
	}
	return p, nil
}

// option reads the option at index i. It returns how many further words it used.
func (s *spec) option(g *guard, p *parsed, i int) (int, error) {
	arg := p.argv[i].Text
	name, value, attached := strings.Cut(arg, "=")
	long := strings.HasPrefix(arg, "--")
	if s.dashValues && long {
		name = name[1:]
	}
	switch r := s.rows()[name]; {
	case r != nil && (long || !attached || s.dashValues):
		if r.runAs != "" {
			p.argv[i].Text = r.runAs + strings.TrimPrefix(arg, name)
		}
		return s.take(g, p, i, found{name: name, value: value, has: attached, row: r})
	case !long && s.digits && verdict.IsDigits(arg[1:]):
		return 0, nil
	case long || s.wholeTokens:
		return 0, unknownOption(name)
	}
	return s.cluster(g, p, i)
}

func unknownOption(name string) error {
	return verdict.Refuse(verdict.UnknownOption, "option %s is not allowed for this program: leave it out, or write its full exact name", verdict.Short(name))
}

// take checks an option that is a whole token, and its value.
func (s *spec) take(g *guard, p *parsed, i int, f found) (int, error) {
	used := 0
	switch {
	case f.row.wordNext && !f.has && i+1 < len(p.argv) && !strings.HasPrefix(p.argv[i+1].Text, "-") && !p.argv[i+1].IsGlob():
		f.value, f.has, used = p.argv[i+1].Text, true, 1
	case f.row.value == none && f.has:
		return 0, verdict.Refuse(verdict.BadOptionValue, "option %s takes no value", f.name)
	case f.row.value != none && !f.has && !f.row.optional:
		if i+1 >= len(p.argv) {
			return 0, verdict.Refuse(verdict.BadOptionValue, "option %s needs a value", f.name)
		}
		if p.argv[i+1].IsGlob() {
			return 0, verdict.Refuse(verdict.ShellGlob, "the value of %s is an unquoted glob: quote it", f.name)
		}
		f.value, f.has, used = p.argv[i+1].Text, true, 1
	}
	return used, s.keep(g, p, f)
}

// cluster reads -abc, -n5 and -vn 5.
func (s *spec) cluster(g *guard, p *parsed, i int) (int, error) {
	arg := p.argv[i].Text
	for at := 1; at < len(arg); at++ {
		name := "-" + arg[at:at+1]
		r := s.rows()[name]
		if r == nil {
			return 0, unknownOption(name)
		}
		if r.runAs != "" {
			arg = arg[:at] + r.runAs[1:] + arg[at+1:]
			p.argv[i].Text = arg
		}
		f := found{name: name, row: r}
		if r.value == none {
			if err := s.keep(g, p, f); err != nil {
				return 0, err
			}
			continue
		}
		rest := arg[at+1:]
		if rest != "" && s.separateValues {
			return 0, verdict.Refuse(verdict.BadOptionValue, "write the value of %s as a separate word", name)
		}
		if rest != "" {
			f.value, f.has = rest, true
			return 0, s.keep(g, p, f)
		}
		return s.take(g, p, i, f)
	}
	return 0, nil
}

// keep records an option after checking its value.
func (s *spec) keep(g *guard, p *parsed, f found) error {
	p.options = append(p.options, f)
	if !f.has {
		return nil
	}
	if err := g.checkValue(f.row, f.value); err != nil {
		return fmt.Errorf("option %s: %w", f.name, err)
	}
	return nil
}

func (g *guard) checkValue(r *row, value string) error {
	switch r.value {
	case none, text:
		return nil
	case keyword:
		if !verdict.IsKeyword(value) {
			return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write one plain word")
		}
		return nil
	case number:
		if !isNumber(value) {
			return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write a number")
		}
		return nil
	case readFile:
		if value == "-" {
			return nil
		}
		return g.readable(value)
	case workPath:
		return g.inWorkspace(value)
	case writePath:
		return g.writable(value)
	case custom:
		return r.check(g, value)
	}
	return verdict.Refuse(verdict.BadOperand, "this option cannot be checked")
}

// numberSuffixes are the units of sizes and counts, including find's c and w.
const numberSuffixes = "b c w k K m M g G T P E Z Y B kB KB MB GB TB PB KiB MiB GiB TiB PiB s h d"

// isNumber accepts 5, +5, -5, 1.5, 10k and 2MiB.
func isNumber(s string) bool {
	s = strings.TrimLeft(s, "+-")
	end := len(s)
	for end > 0 && ((s[end-1] >= 'a' && s[end-1] <= 'z') || (s[end-1] >= 'A' && s[end-1] <= 'Z')) {
		end--
	}
	whole, fraction, dotted := strings.Cut(s[:end], ".")
	return (end == len(s) || slices.Contains(strings.Fields(numberSuffixes), s[end:])) && verdict.IsDigits(whole) && (!dotted || verdict.IsDigits(fraction))
}

// oneOf returns a check that accepts only the listed values.
func oneOf(values string) func(*guard, string) error {
	return func(_ *guard, value string) error {
		for v := range strings.FieldsSeq(values) {
			if v == value {
				return nil
			}
		}
		return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: use one of %s", values)
	}
}
