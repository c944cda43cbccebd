package shell

import (
	"path"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// unknownMark stands in a value's text for a part that is known only when the
// shell runs. It cannot occur in a command, where NUL is refused.
const unknownMark = '\x00'

// splitMark marks a position where the shell splits a known expansion into words.
const splitMark = '\x01'

// value describes one argument that bash will build, as far as it can be
// determined.
type value struct {
	text string
	// pattern is text with the quoted glob characters escaped.
	pattern string
	glob    bool
	// loose: an unknown part is unquoted, so it may become several words,
	// including options.
	loose bool
	// computed: an unknown part comes from a command or process substitution.
	computed bool
	// process: the argument is a process substitution, that is, a pipe with a
	// file name.
	process bool
}

const unknownText = string(unknownMark)

func literal(text string) value { return value{text: text, pattern: text} }

func (v value) unknown() bool { return strings.ContainsRune(v.text, unknownMark) }

// valueBuilder collects a word's parts.
type valueBuilder struct {
	w *walker
	s *state
	value
	b, p strings.Builder
}

// word returns the values that a word may become, after walking the commands that
// are substituted into it.
func (w *walker) word(word *syntax.Word, s *state) ([]value, error) {
	if err := w.substitutions(word, s); err != nil {
		return nil, err
	}
	syntax.SplitBraces(word)
	parts, err := braces(word.Parts)
	if err != nil {
		return nil, err
	}
	var out []value
	for _, list := range parts {
		out = append(out, w.build(list, s)...)
	}
	return out, nil
}

func (w *walker) build(parts []syntax.WordPart, s *state) []value {
	b := &valueBuilder{w: w, s: s}
	for i, part := range parts {
		b.part(part, false, i == 0)
	}
	b.text, b.pattern = b.b.String(), b.p.String()
	if !strings.ContainsRune(b.text, splitMark) {
		return []value{b.value}
	}
	var out []value
	patterns := strings.Split(b.pattern, string(splitMark))
	for i, text := range strings.Split(b.text, string(splitMark)) {
		if text == "" {
			continue
		}
		v := b.value
		v.text = text
		if i < len(patterns) {
			v.pattern = patterns[i]
		}
		out = append(out, v)
	}
	return out
}

func (b *valueBuilder) put(text string, quoted bool) {
	b.b.WriteString(text)
	for i := range len(text) {
		if strings.IndexByte(`*?[]\`, text[i]) >= 0 {
			if quoted {
				b.p.WriteByte('\\')
			} else if text[i] != '\\' && text[i] != ']' {
				b.glob = true
			}
		}
		b.p.WriteByte(text[i])
	}
}

func (b *valueBuilder) putUnknown(quoted, computed bool) {
	b.b.WriteRune(unknownMark)
	b.p.WriteRune(unknownMark)
	b.loose = b.loose || !quoted
	b.computed = b.computed || computed
}

func (b *valueBuilder) part(part syntax.WordPart, quoted, first bool) {
	switch p := part.(type) {
	case *syntax.Lit:
		b.lit(p.Value, quoted, first)
	case *syntax.SglQuoted:
		if p.Dollar && strings.Contains(p.Value, `\`) {
			b.putUnknown(true, false)
			return
		}
		b.put(p.Value, true)
	case *syntax.DblQuoted:
		for _, inner := range p.Parts {
			b.part(inner, true, false)
		}
	case *syntax.ParamExp:
		b.param(p, quoted)
	case *syntax.CmdSubst:
		if isPwd(p) && len(b.s.dirs) == 1 {
			b.put(b.s.dirs[0], quoted)
			return
		}
		b.putUnknown(quoted, true)
	case *syntax.ProcSubst:
		b.process = true
		b.putUnknown(true, true)
	case *syntax.ArithmExp:
		b.putUnknown(true, false)
	default:
		b.putUnknown(quoted, false)
	}
}

func isPwd(c *syntax.CmdSubst) bool {
	if len(c.Stmts) != 1 || len(c.Stmts[0].Redirs) > 0 {
		return false
	}
	call, ok := c.Stmts[0].Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) == 1 && len(call.Assigns) == 0 && call.Args[0].Lit() == "pwd"
}

func (b *valueBuilder) lit(s string, quoted, first bool) {
	if first && !quoted && strings.HasPrefix(s, "~") {
		name, rest, slash := strings.Cut(s[1:], "/")
		switch name {
		case "":
			b.put(b.w.world.Home, true)
		case "+", "-":
			b.putUnknown(true, false)
		default:
			b.put("/home/"+name, true)
		}
		if s = rest; slash {
			s = "/" + rest
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && !quoted && i+1 < len(s):
			i++
			if s[i] != '\n' {
				b.put(s[i:i+1], true)
			}
		case s[i] == '\\' && quoted && i+1 < len(s) && strings.IndexByte("$`\"\\\n", s[i+1]) >= 0:
			i++
			if s[i] != '\n' {
				b.put(s[i:i+1], true)
			}
		case s[i] == '~' && !quoted && i > 0 && (s[i-1] == '=' || s[i-1] == ':') && (i+1 == len(s) || s[i+1] == '/'):
			b.put(b.w.world.Home, true)
		default:
			b.put(s[i:i+1], quoted)
		}
	}
}

// param expands what can be determined: the home folder, the current folder, and
// variables that are set exactly once before this point.
func (b *valueBuilder) param(p *syntax.ParamExp, quoted bool) {
	plain := p.Param != nil && !p.Excl && !p.Length && !p.Width && p.Index == nil && p.Slice == nil &&
		p.Repl == nil && p.Names == 0 && p.Exp == nil
	filled := p.Param != nil && b.w.filled[p.Param.Value]
	if !plain {
		b.putUnknown(quoted, filled)
		return
	}
	name := p.Param.Value
	set := b.w.assigns[name] > 0
	v, known := b.s.vars[name]
	switch {
	case known:
		text, pattern := v.text, v.pattern
		if quoted {
			b.put(text, true)
		} else {
			b.b.WriteString(splitWords(text))
			b.p.WriteString(splitWords(pattern))
			b.glob = b.glob || v.glob
		}
		b.loose = b.loose || (v.unknown() && !quoted)
		b.computed = b.computed || v.computed
	case set:
		b.putUnknown(quoted, filled)
	case name == "HOME":
		b.put(b.w.world.Home, quoted)
	case name == "PWD" && len(b.s.dirs) == 1:
		b.put(b.s.dirs[0], quoted)
	case name == "TMPDIR":
		b.put("/tmp", quoted)
	case name == "PPID" || name == "$":
		b.put("$"+name, true)
	default:
		b.putUnknown(quoted, filled)
	}
}

func splitWords(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' {
			return splitMark
		}
		return r
	}, text)
}

// braces expands {a,b} into lists of parts. A range becomes an unknown part.
func braces(parts []syntax.WordPart) ([][]syntax.WordPart, error) {
	const most = 64
	out := [][]syntax.WordPart{nil}
	for _, part := range parts {
		var choices [][]syntax.WordPart
		brace, ok := part.(*syntax.BraceExp)
		switch {
		case !ok || brace.Sequence:
			choices = [][]syntax.WordPart{{part}}
		default:
			for _, elem := range brace.Elems {
				inner, err := braces(elem.Parts)
				if err != nil {
					return nil, err
				}
				choices = append(choices, inner...)
			}
		}
		var next [][]syntax.WordPart
		for _, have := range out {
			for _, choice := range choices {
				next = append(next, append(append([]syntax.WordPart(nil), have...), choice...))
			}
		}
		if out = next; len(out) > most {
			return nil, verdict.Refuse(verdict.TooLarge, "braces expand to too many words: write them out")
		}
	}
	return out, nil
}

// substitutions walks every command and process substitution below a node.
func (w *walker) substitutions(node syntax.Node, s *state) error {
	var err error
	syntax.Walk(node, func(n syntax.Node) bool {
		if err != nil {
			return false
		}
		switch sub := n.(type) {
		case *syntax.ParamExp:
			err = checkPrompt(sub)
		case *syntax.CmdSubst:
			err = w.stmts(sub.Stmts, s.copy(), input{})
			return false
		case *syntax.ProcSubst:
			err = w.stmts(sub.Stmts, s.copy(), input{kind: inputPipe})
			return false
		}
		return true
	})
	return err
}

// places returns the absolute paths that a value may name, one for each folder
// that the shell may be in, as cleaned patterns. ok is false if they cannot be
// determined.
func (w *walker) places(v value, s *state) (out []string, ok bool) {
	if paths.IsAbs(v.pattern) {
		return []string{path.Clean(v.pattern)}, true
	}
	if s.dirs == nil {
		return nil, false
	}
	for _, dir := range s.dirs {
		out = append(out, path.Clean(dir+"/"+v.pattern))
		if !paths.HasUp(v.pattern) || paths.HasGlob(v.pattern) || v.unknown() {
			continue
		}
		// The kernel follows a link before the ".." that follows it.
		if actual, err := paths.Resolve(w.world.FS, dir+"/"+paths.UnescapeGlob(v.pattern)); err == nil && !slices.Contains(out, actual) {
			out = append(out, actual)
		}
	}
	return out, true
}
