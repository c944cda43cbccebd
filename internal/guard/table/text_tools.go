package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// The tables of filters: programs that read files or standard input and print.
// Not listed, and therefore refused, are output files, programs to start, lists
// of files or options that are read from files, and random sources.

// No -o, --compress-program, --files0-from, -T, --random-source, -m with lists.
var sortRows = []row{
	{names: "-b -d -f -g -h -i -M -n -r -R -V -c -C -s -u -z -m --ignore-leading-blanks --dictionary-order --ignore-case --general-numeric-sort --human-numeric-sort --ignore-nonprinting --month-sort --numeric-sort --reverse --random-sort --version-sort --stable --unique --zero-terminated --merge --debug", why: "order"},
	{names: "--check", value: keyword, optional: true, why: "order"},
	{names: "-k --key", value: keyword, why: "which fields"},
	{names: "-t --field-separator", value: text, why: "what divides fields"},
	{names: "--sort", value: keyword, why: "order"},
	{names: "--parallel --batch-size", value: number, why: "effort"},
	{names: "-S --buffer-size", value: keyword, why: "memory"},
}

// Only one operand: a second one would be written to.
var uniqRows = []row{
	{names: "-c -d -D -i -u -z --count --repeated --ignore-case --unique --zero-terminated", why: "which lines are printed"},
	{names: "-f -s -w --skip-fields --skip-chars --check-chars", value: number, why: "what is compared"},
	{names: "--all-repeated --group", value: keyword, optional: true, why: "which lines are printed"},
}

var cutRows = []row{
	{names: "-b -c -f --bytes --characters --fields", value: keyword, why: "which parts"},
	{names: "-d --delimiter --output-delimiter", value: text, why: "what divides fields"},
	{names: "-n -s -z --only-delimited --complement --zero-terminated", why: "which parts"},
}

var trRows = []row{
	{names: "-c -C -d -s -t --complement --delete --squeeze-repeats --truncate-set1", why: "which characters"},
}

var nlRows = []row{
	{names: "-b -f -h -n --body-numbering --footer-numbering --header-numbering --number-format", value: text, why: "which lines are numbered"},
	{names: "-i -l -v -w --line-increment --join-blank-lines --starting-line-number --number-width", value: number, why: "numbers"},
	{names: "-s -d --number-separator --section-delimiter", value: text, why: "printed text"},
	{names: "-p --no-renumber", why: "numbers"},
}

var commRows = []row{
	{names: "-1 -2 -3 -z --check-order --nocheck-order --total --zero-terminated", why: "which columns"},
	{names: "--output-delimiter", value: text, why: "printed text"},
}

var plainRows = map[string][]row{
	"paste": {
		{names: "-s -z --serial --zero-terminated", why: "layout"},
		{names: "-d --delimiters", value: text, why: "printed text"},
	},
	"join": {
		{names: "-i -z --ignore-case --check-order --nocheck-order --header --zero-terminated", why: "what is joined"},
		{names: "-1 -2 -j", value: number, why: "which fields"},
		{names: "-a -v", value: number, why: "which lines"},
		{names: "-e -t -o", value: text, why: "printed text"},
	},
	"tac": {
		{names: "-b -r --before --regex", why: "order"},
		{names: "-s --separator", value: text, why: "what divides records"},
	},
	"rev": {},
	"fold": {
		{names: "-b -s --bytes --spaces", why: "layout"},
		{names: "-w --width", value: number, why: "layout"},
	},
	"expand":   {{names: "-i --initial", why: "layout"}, {names: "-t --tabs", value: keyword, why: "layout"}},
	"unexpand": {{names: "-a --all --first-only", why: "layout"}, {names: "-t --tabs", value: keyword, why: "layout"}},
	"column": {
		{names: "-t -x -e -n -J --table --fillrows --table-noheadings --json", why: "layout"},
		{names: "-s -o -N -R -c --separator --output-separator --table-columns --table-right --output-width", value: text, why: "layout and printed text"},
	},
	"cmp": {
		{names: "-b -l -s --print-bytes --verbose --quiet --silent", why: "what is printed"},
		{names: "-i -n --ignore-initial --bytes", value: keyword, why: "what is compared"},
	},
	"strings": {
		{names: "-a -f -o -w --all --print-file-name --include-all-whitespace", why: "what is printed"},
		{names: "-n -t -e --bytes --radix --encoding", value: keyword, why: "what is printed"},
	},
	"od": {
		{names: "-b -c -d -f -i -l -o -s -x -v --output-duplicates --traditional", why: "how bytes are printed"},
		{names: "-A -t -j -N -w --address-radix --format --skip-bytes --read-bytes --width", value: keyword, why: "how bytes are printed"},
	},
	"hexdump": {
		{names: "-b -c -C -d -o -x -v --canonical --no-squeezing", why: "how bytes are printed"},
		{names: "-n -s --length --skip", value: keyword, why: "which bytes"},
	},
	"fmt": {
		{names: "-c -s -t -u --crown-margin --split-only --tagged-paragraph --uniform-spacing", why: "layout"},
		{names: "-w -g -p --width --goal --prefix", value: text, why: "layout"},
	},
	"base64": {{names: "-d -i --decode --ignore-garbage", why: "direction"}, {names: "-w --wrap", value: number, why: "layout"}},
}

// No -c/--check: it reads a list of files, and its errors print them.
var sumRows = []row{
	{names: "-b -t -z --binary --text --tag --zero", why: "how sums are printed"},
}

// No -r (writes), no -o.
var xxdRows = []row{
	{names: "-a -b -C -E -e -i -p -ps -u", why: "how bytes are printed"},
	{names: "-c -g -l -n -s", value: keyword, why: "layout and which bytes"},
}

var (
	sortSpec = table(join(helpRows, sortRows))
	uniqSpec = table(join(helpRows, uniqRows))
	cutSpec  = table(join(helpRows, cutRows))
	trSpec   = table(join(helpRows, trRows))
	nlSpec   = table(join(helpRows, nlRows))
	commSpec = table(join(helpRows, commRows))
	sumSpec  = table(join(helpRows, sumRows))
	xxdSpec  = table(xxdRows, withWholeTokens, stopAtOperand)
)

// oneOperand allows one file at most: these programs write to a second file.
func oneOperand(g *guard, p *parsed) (map[int][]string, error) {
	for _, at := range p.operands {
		if p.argv[at].IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "a glob may name a second file, which would be written: name one file")
		}
	}
	if len(p.operands) > 1 {
		return nil, verdict.Refuse(verdict.BadOperand, "a second file would be written: name one file, and read the output")
	}
	return readOperands(g, p)
}

// trOperands checks operands that are sets of characters, and never files.
func trOperands(_ *guard, p *parsed) (map[int][]string, error) {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	if len(p.operands) < 1 || len(p.operands) > 2 {
		return nil, verdict.Refuse(verdict.BadOperand, "tr takes one or two sets of characters: quote them with '...'")
	}
	return nil, nil
}

// textOperands checks operands that are printed or calculated with, and never
// opened.
func textOperands(_ *guard, p *parsed) (map[int][]string, error) {
	return nil, p.noGlobs(len(p.operands))
}

// wordOperands is textOperands without paths. A lone / is accepted: it divides.
func wordOperands(_ *guard, p *parsed) (map[int][]string, error) {
	for i := range p.operands {
		if name := p.operand(i).Text; name != "/" && strings.Contains(name, "/") {
			return nil, verdict.Refuse(verdict.BadOperand, "%s is a path, but this program may not read files", verdict.Short(name))
		}
	}
	return nil, p.noGlobs(len(p.operands))
}

// checkSed allows a script that only selects, deletes and substitutes: no command
// may run a program, or read or write another file.
func checkSed(g *guard, args []Word) ([]string, error) {
	spec := sedSpec
	if g.mode == verdict.ModeRestricted {
		spec = sedEditSpec
	}
	p, err := spec.read(g, args)
	if err != nil {
		return nil, err
	}
	first := 0
	if !p.has("-e", "--expression") {
		if len(p.operands) == 0 {
			return nil, verdict.Refuse(verdict.BadOperand, "sed needs a script: quote it with '...'")
		}
		if p.operand(0).IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "the script is an unquoted glob: quote it with '...'")
		}
		if err := sedScript(nil, p.operand(0).Text); err != nil {
			return nil, err
		}
		first = 1
	}
	accept := g.readable
	if p.has("-i", "--in-place") {
		accept = g.writable
		if len(p.operands) <= first {
			return nil, verdict.Refuse(verdict.BadOperand, "no file is named: name one inside the workspace")
		}
	}
	replaced, err := g.paths(p, first, accept)
	if err != nil {
		return nil, err
	}
	return append([]string{"--sandbox"}, p.build(replaced)...), nil
}

// No -f (a script from a file). --sandbox is added, with which sed itself refuses
// e, r and w.
var sedRows = []row{
	{names: "-n -E -r -s -u -z -l --quiet --silent --regexp-extended --separate --unbuffered --null-data --posix --debug --sandbox", why: "how lines are read and printed"},
	{names: "-e --expression", value: custom, check: sedScript, why: "a script, which is looked into"},
}

// sedEditRows change files of the workspace. A suffix for a backup copy is not
// allowed: -in, for example, is not -i -n, but asks for a copy whose name ends in
// n.
var sedEditRows = []row{{names: "-i --in-place", value: custom, optional: true, check: noEnding, why: "the file is changed"}}

func noEnding(_ *guard, _ string) error {
	return verdict.Refuse(verdict.BadOptionValue, "a copy under another name is not allowed: write -i alone")
}

var (
	sedSpec     = table(join(helpRows, sedRows))
	sedEditSpec = table(join(helpRows, sedRows, sedEditRows))
)

// sedScript checks a script command by command. Commands that it does not
// recognise are refused.
func sedScript(_ *guard, script string) error {
	refusal := verdict.Refuse(verdict.InlineCode, "this sed script is not allowed: use only p, d, q, s///, y///, =, and addresses")
	rest := script
	for {
		rest = strings.TrimLeft(rest, " \t\n;}")
		if rest == "" {
			return nil
		}
		var ok bool
		if rest, ok = sedAddress(rest); !ok {
			return refusal
		}
		rest = strings.TrimLeft(rest, " \t!")
		if rest == "" {
			return refusal
		}
		command := rest[0]
		rest = rest[1:]
		switch command {
		case 'p', 'd', 'D', 'P', 'g', 'G', 'h', 'H', 'x', 'n', 'N', '=', 'l', '{', 'z', 'F':
		case 'q', 'Q':
			rest = strings.TrimLeft(rest, " 0123456789")
		case 's', 'y':
			if rest, ok = sedSubstitute(rest, command); !ok {
				return refusal
			}
		case 'a', 'i', 'c':
			rest = sedText(rest)
		default: // e, r, R, w, W, b, t, : and unknown commands
			return refusal
		}
		if rest != "" && strings.IndexByte(" \t\n;}", rest[0]) < 0 && command != '{' {
			return refusal
		}
	}
}

// sedText removes the text of a, i or c from the front of a script. The text ends
// with the first line that has no backslash at its end.
func sedText(s string) string {
	s = strings.TrimLeft(s, " \t")
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\n':
			return s[i:]
		}
	}
	return ""
}

// sedAddress removes one or two addresses from the front of a script.
func sedAddress(s string) (string, bool) {
	for {
		switch {
		case s == "":
			return s, true
		case s[0] == '/' || s[0] == '\\':
			delimiter := byte('/')
			if s[0] == '\\' {
				if len(s) < 2 {
					return s, false
				}
				delimiter, s = s[1], s[1:]
			}
			at := endOfExpression(s[1:], delimiter)
			if at < 0 {
				return s, false
			}
			s = strings.TrimLeft(s[1+at+1:], "IM")
		case s[0] == '$' || (s[0] >= '0' && s[0] <= '9'):
			s = strings.TrimLeft(s, "$0123456789~+")
		default:
			return s, true
		}
		if s = strings.TrimLeft(s, " "); s == "" || s[0] != ',' {
			return s, true
		}
		s = strings.TrimLeft(s[1:], " +~")
	}
}

// endOfExpression is [endOfPart] for a regular expression. A delimiter inside [ ]
// ends the expression in some versions of sed and not in others, so it is refused
// with -1.
func endOfExpression(s string, delimiter byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case delimiter:
			return i
		case '[':
			length := endOfClass(s[i:])
			if length < 0 || strings.IndexByte(s[i:i+length], delimiter) >= 0 && !escaped(s[i:i+length], delimiter) {
				return -1
			}
			i += length - 1
		}
	}
	return -1
}

// endOfClass returns the length of a class such as [^]a-z[:digit:]], or -1.
func endOfClass(s string) int {
	i := 1
	if strings.HasPrefix(s[i:], "^") {
		i++
	}
	for first := i; i < len(s); i++ {
		switch {
		case s[i] == ']' && i > first:
			return i + 1
		case s[i] == '[' && i+1 < len(s) && strings.IndexByte(":.=", s[i+1]) >= 0:
			end := strings.Index(s[i+2:], s[i+1:i+2]+"]")
			if end < 0 {
				return -1
			}
			i += 2 + end + 1
		}
	}
	return -1
}

// escaped reports whether each delimiter has a backslash before it.
func escaped(s string, delimiter byte) bool {
	for i := range len(s) {
		if s[i] == delimiter && (i == 0 || s[i-1] != '\\') {
			return false
		}
	}
	return true
}

// endOfPart returns the index of the first unescaped delimiter, or -1.
func endOfPart(s string, delimiter byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case delimiter:
			return i
		}
	}
	return -1
}

// sedSubstitute removes s/a/b/flags or y/a/b/ from the front of a script. It
// refuses the flags e and w.
func sedSubstitute(s string, command byte) (string, bool) {
	if s == "" || s[0] == '\n' || s[0] == '\\' {
		return s, false
	}
	delimiter := s[0]
	for part := range 2 {
		end := endOfPart
		if part == 0 && command == 's' {
			end = endOfExpression
		}
		at := end(s[1:], delimiter)
		if at < 0 {
			return s, false
		}
		s = s[1+at:]
	}
	s = s[1:]
	if command == 's' {
		s = strings.TrimLeft(s, "gpiIM0123456789")
	}
	return s, true
}

// checkTest allows a single test of a file or a text, as in `test -f x && ...`.
func checkTest(g *guard, args []Word) ([]string, error) {
	for _, w := range args {
		if w.IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob: quote it with '...'", verdict.Short(w.Text))
		}
	}
	if len(args) != 2 || !strings.HasPrefix(args[0].Text, "-") || len(args[0].Text) != 2 || strings.IndexByte("defrswxLhzn", args[0].Text[1]) < 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "only one test of one file is allowed: write test -f FILE")
	}
	if strings.IndexByte("zn", args[0].Text[1]) < 0 {
		if err := g.listable(args[1].Text); err != nil {
			return nil, err
		}
	}
	return plain(args), nil
}
