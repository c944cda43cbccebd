package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// literalWord removes the quotes from a word without expansions. Anything that
// bash would expand, except a glob, is refused.
func literalWord(w *syntax.Word) (Word, error) {
	var b wordBuilder
	for _, part := range w.Parts {
		if err := b.part(part); err != nil {
			return Word{}, err
		}
	}
	out := Word{Text: b.text.String()}
	if b.glob {
		out.Pattern = b.pattern.String()
		if strings.Contains(out.Pattern, "[:") || strings.Contains(out.Pattern, "[.") || strings.Contains(out.Pattern, "[=") {
			return Word{}, verdict.Refuse(verdict.ShellGlob, "character classes such as [[:alpha:]] are not allowed in globs: quote the pattern or write a range")
		}
	}
	return out, nil
}

// wordBuilder builds a word's text and, in parallel, the same text with the
// quoted glob characters escaped.
type wordBuilder struct {
	text, pattern strings.Builder
	glob          bool
}

func (b *wordBuilder) part(part syntax.WordPart) error {
	switch p := part.(type) {
	case *syntax.Lit:
		return b.unquoted(p.Value)
	case *syntax.SglQuoted:
		if p.Dollar {
			return verdict.Refuse(verdict.ShellExpansion, "$'...' is not allowed: write the text literally")
		}
		b.quoted(p.Value)
		return nil
	case *syntax.DblQuoted:
		return b.double(p)
	case *syntax.ParamExp, *syntax.ArithmExp:
		return verdict.Refuse(verdict.ShellExpansion, "$ expansion is not allowed: write the value literally, or quote it with '...'")
	case *syntax.CmdSubst:
		return verdict.Refuse(verdict.ShellExpansion, "command substitution is not allowed: run the command first and write its result")
	case *syntax.ProcSubst:
		return verdict.Refuse(verdict.ShellExpansion, "process substitution is not allowed: use a pipe or a file")
	case *syntax.ExtGlob:
		return verdict.Refuse(verdict.ShellGlob, "extended globs are not allowed: use * ? or [ ]")
	}
	return verdict.Refuse(verdict.ShellExpansion, "this kind of word is not allowed: write it literally")
}

func (b *wordBuilder) quoted(s string) {
	b.text.WriteString(s)
	for i := range len(s) {
		if strings.IndexByte(`*?[]\!^-`, s[i]) >= 0 {
			b.pattern.WriteByte('\\')
		}
		b.pattern.WriteByte(s[i])
	}
}

// unquoted reads text outside quotes: a backslash makes the next character
// literal, glob characters have their special meaning, and anything else that
// bash would expand is refused.
func (b *wordBuilder) unquoted(s string) error {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '\\':
			if i++; i == len(s) {
				return verdict.Refuse(verdict.ShellExpansion, "a backslash at the end of a word is not allowed")
			}
			if s[i] == '\n' {
				return verdict.Refuse(verdict.ShellExpansion, "a backslash before a newline is not allowed: write one line")
			}
			b.quoted(s[i : i+1])
			continue
		case '*', '?', '[':
			b.glob = true
		case '{':
			if n := revisionBrace(s[i:]); n > 0 && strings.HasSuffix(b.text.String(), "@") {
				b.quoted(s[i : i+n])
				i += n - 1
				continue
			}
			return verdict.Refuse(verdict.ShellExpansion, "braces are not expanded here: quote them with '...' or write the words out")
		case '}':
			return verdict.Refuse(verdict.ShellExpansion, "braces are not expanded here: quote them with '...'")
		case '~':
			if text := b.text.String(); text == "" || strings.HasSuffix(text, "=") || strings.HasSuffix(text, ":") {
				return verdict.Refuse(verdict.ShellExpansion, "~ is not expanded here: write a path inside the workspace")
			}
		case '$', '`', '!':
			if c != '!' {
				return verdict.Refuse(verdict.ShellExpansion, "an unquoted %c is not allowed: quote it with '...'", c)
			}
		}
		b.text.WriteByte(c)
		b.pattern.WriteByte(c)
	}
	return nil
}

// revisionBrace returns the length of git's {1}, {u} or {upstream}, which bash
// does not expand because they contain no comma or range.
func revisionBrace(s string) int {
	for i := 1; i < len(s); i++ {
		c := s[i]
		if c == '}' && i > 1 {
			return i + 1
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return 0
		}
	}
	return 0
}

// double reads text in double quotes, where a backslash is special only before $
// ` " \ and newline.
func (b *wordBuilder) double(q *syntax.DblQuoted) error {
	if q.Dollar {
		return verdict.Refuse(verdict.ShellExpansion, `$"..." is not allowed: write the text literally`)
	}
	for i, part := range q.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			return b.part(part)
		}
		if err := b.doubleText(lit.Value, i == len(q.Parts)-1); err != nil {
			return err
		}
	}
	return nil
}

// plainDollar reports whether the $ at s[i] is literal: at the end of the quotes,
// as in "foo$", or before a character that starts no expansion.
func plainDollar(s string, i int, last bool) bool {
	if i+1 == len(s) {
		return last
	}
	return strings.IndexByte(" |)/,.", s[i+1]) >= 0
}

func (b *wordBuilder) doubleText(s string, last bool) error {
	for i := 0; i < len(s); i++ {
		if s[i] == '`' || (s[i] == '$' && !plainDollar(s, i, last)) {
			return verdict.Refuse(verdict.ShellExpansion, "an unescaped %c in double quotes is not allowed: use single quotes", s[i])
		}
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("$`\"\\\n", s[i+1]) >= 0 {
			if i++; s[i] == '\n' {
				return verdict.Refuse(verdict.ShellExpansion, "a backslash before a newline is not allowed: write one line")
			}
		}
		b.quoted(s[i : i+1])
	}
	return nil
}
