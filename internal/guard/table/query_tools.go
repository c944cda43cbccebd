package table

import (
	"path"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// No -f, --from-file, --rawfile, --slurpfile (read files that are not operands),
// -L (modules), --stream-errors, --seq.
var jqRows = []row{
	{names: "-r -j -a -c -C -M -S -s -n -e -R --raw-output --raw-output0 --join-output --ascii-output --compact-output --color-output --monochrome-output --sort-keys --slurp --null-input --exit-status --raw-input --tab --unbuffered --stream", why: "how values are read and printed"},
	{names: "--indent", value: number, why: "layout"},
}

var jqSpec = table(join(helpRows, jqRows))

// checkJq checks jq, whose first operand is the filter. The filter may not read
// the environment, modules or the names of other inputs.
func checkJq(g *guard, args []Word) ([]string, error) {
	p, err := jqSpec.read(g, dropNamedValues(args))
	if err != nil {
		return nil, err
	}
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "jq needs a filter: quote it with '...'")
	}
	if err := p.noGlobs(1); err != nil {
		return nil, err
	}
	filter := p.operand(0).Text
	for _, word := range []string{"env", "$ENV", "import", "include"} {
		if hasWord(filter, word) {
			return nil, verdict.Refuse(verdict.InlineCode, "this jq filter reads the environment or modules: leave %s out", word)
		}
	}
	replaced, err := g.paths(p, 1, g.readable)
	if err != nil {
		return nil, err
	}
	return append(namedValues(args), p.build(replaced)...), nil
}

// jq's --arg NAME VALUE takes two words.
func isNamedValue(w Word) bool { return w.Text == "--arg" || w.Text == "--argjson" }

func dropNamedValues(args []Word) []Word {
	var out []Word
	for i := 0; i < len(args); i++ {
		if isNamedValue(args[i]) && i+2 < len(args) && !args[i+1].IsGlob() && !args[i+2].IsGlob() {
			i += 2
			continue
		}
		out = append(out, args[i])
	}
	return out
}

func namedValues(args []Word) []string {
	var out []string
	for i := 0; i+2 < len(args); i++ {
		if isNamedValue(args[i]) && !args[i+1].IsGlob() && !args[i+2].IsGlob() {
			out = append(out, args[i].Text, args[i+1].Text, args[i+2].Text)
			i += 2
		}
	}
	return out
}

// hasWord reports whether a text contains a word that is neither part of another
// word nor a field such as .env.
func hasWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		i += at
		before := i == 0 || !isWordByte(text[i-1]) && text[i-1] != '.' && text[i-1] != '"'
		after := i+len(word) == len(text) || !isWordByte(text[i+len(word)])
		if before && after {
			return true
		}
		at = i + len(word)
	}
}

func isWordByte(c byte) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
}

// No --pre, --pre-glob, --hostname-bin, -z (run programs), -f, --ignore-file, -L
// (follows links), --search-zip, clusters of -u that search hidden files,
// --hidden.
var rgRows = []row{
	{names: "-i -s -S -v -w -x -F -P -n -N -H -I -h -l -c -o -q -a -U -0 -p -b", why: "how lines are matched and printed"},
	{names: "--ignore-case --case-sensitive --smart-case --invert-match --word-regexp --line-regexp --fixed-strings --pcre2 --line-number --no-line-number --with-filename --no-filename --files-with-matches --files-without-match --count --count-matches --only-matching --quiet --text --multiline --multiline-dotall --null --pretty --byte-offset --heading --no-heading --column --trim --vimgrep --json --stats --passthru --no-messages --crlf --null-data --one-file-system --files --type-list --no-ignore --no-ignore-vcs", why: "the same, long"},
	{names: "-e --regexp", value: text, why: "a pattern"},
	{names: "-A -B -C -m --after-context --before-context --context --max-count --max-depth -d --max-columns -M --threads -j", value: number, why: "how much is printed"},
	{names: "-g --glob --iglob", value: custom, check: checkSearchGlob, why: "which files"},
	{names: "-t -T --type --type-not --sort --sortr --color --engine", value: keyword, why: "which files, order and decoration"},
	{names: "-r --replace", value: text, why: "printed text; nothing is written"},
	{names: "--max-filesize", value: keyword, why: "which files"},
	{names: "--colors --context-separator --field-match-separator", value: text, why: "decoration"},
}

var rgSpec = table(join(helpRows, rgRows))

// checkSearchGlob refuses a glob that matches secret files. It comes after the
// globs that exclude these files and would take precedence over them.
func checkSearchGlob(_ *guard, value string) error {
	if strings.HasPrefix(value, "!") {
		return nil
	}
	if namesSecrets(value) || namesSecrets(strings.TrimPrefix(value, "**/")) {
		return verdict.ErrSecretFile
	}
	for _, name := range []string{".env", "server.pem", "tls.key", "id_rsa", ".netrc"} {
		if paths.MatchText(path.Base(value), name) {
			return verdict.Refuse(verdict.BadOptionValue, "this pattern would include files that contain secrets: write an ending such as '*.go'")
		}
	}
	return nil
}

// checkRg checks rg, whose first operand is the pattern unless -e gives one or
// --files needs none. It adds options that exclude secret files.
func checkRg(g *guard, args []Word) ([]string, error) {
	p, err := rgSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	first := 1
	if p.has("-e", "--regexp", "--files", "--type-list") {
		first = 0
	}
	if err := p.noGlobs(first); err != nil {
		return nil, err
	}
	if len(p.operands) <= first {
		if err := g.readableTree("."); err != nil {
			return nil, err
		}
	}
	replaced, err := g.paths(p, first, g.readableTree)
	if err != nil {
		return nil, err
	}
	return append(append([]string{"--no-config"}, excluded("--glob=!")...), p.build(replaced)...), nil
}
