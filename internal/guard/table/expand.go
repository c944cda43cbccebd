package table

import (
	"path"
	"strings"
	"unicode/utf8"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

const (
	maxMatches     = 4096
	maxGlobEntries = 20000
)

// expand returns the paths that a glob matches, relative as it was written,
// sorted as in the C locale. As in bash without globstar, ** means *. A glob
// without a match is returned as it is written. The caller checks every result.
func (g *guard) expand(pattern, literal string) ([]string, error) {
	full := path.Clean(paths.Join(g.dir, pattern))
	if g.world.Secrets.Glob(full) {
		return nil, verdict.ErrSecret
	}
	dir, rest := paths.SplitGlob(pattern)
	if dir != "" || paths.IsAbs(pattern) {
		if err := g.listable(paths.UnescapeGlob(dir)); err != nil {
			return nil, err
		}
	}
	e := expansion{g: g, budget: maxGlobEntries}
	if err := e.walk(paths.UnescapeGlob(dir), rest); err != nil {
		return nil, err
	}
	if len(e.found) == 0 {
		return []string{literal}, nil
	}
	for i, name := range e.found {
		e.found[i] = guardName(name)
	}
	return e.found, nil
}

// guardName puts ./ before a file name unless it begins with a plain character,
// so that it cannot be read as an option, an operator or a keyword.
func guardName(name string) string {
	c := name[0]
	if c == '/' || c == '_' || c == '.' || c >= utf8.RuneSelf ||
		(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') {
		return name
	}
	return "./" + name
}

type expansion struct {
	g      *guard
	found  []string
	budget int
}

func (e *expansion) walk(dir string, rest []string) error {
	if len(rest) == 0 {
		return e.add(strings.TrimSuffix(dir, "/"))
	}
	part, rest := rest[0], rest[1:]
	if part == "" { // a trailing or doubled slash
		return e.walk(dir, rest)
	}
	if !paths.HasGlob(part) {
		name := dir + paths.UnescapeGlob(part)
		if _, err := e.g.world.FS.Lstat(paths.Join(e.g.dir, name)); err != nil {
			return nil //nolint:nilerr // a name that is not there is no match, not a failure
		}
		return e.walk(addSlash(name, len(rest)), rest)
	}
	where := dir
	if where == "" {
		where = "."
	}
	if err := e.g.listable(where); err != nil {
		return err
	}
	entries, err := e.g.world.FS.ReadDir(paths.Join(e.g.dir, where))
	if err != nil {
		return nil //nolint:nilerr // a folder that cannot be listed has no match, as in a shell
	}
	if e.budget -= len(entries); e.budget < 0 {
		return verdict.Refuse(verdict.TooLarge, "the glob searches too many files: name a more specific folder")
	}
	for _, entry := range entries {
		if !paths.MatchComponent(part, entry.Name()) {
			continue
		}
		if err := e.walk(addSlash(dir+entry.Name(), len(rest)), rest); err != nil {
			return err
		}
	}
	return nil
}

func (e *expansion) add(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(e.found) == maxMatches {
		return verdict.Refuse(verdict.TooLarge, "the glob names more than %d files: name a more specific folder", maxMatches)
	}
	e.found = append(e.found, name)
	return nil
}

// checkName refuses a file whose name the operator could not read when approving
// the command.
func checkName(name string) error {
	if !utf8.ValidString(name) {
		return verdict.Refuse(verdict.BadText, "the glob names a file whose name is not valid UTF-8: name the files one by one")
	}
	for _, r := range name {
		if r == '\n' || r == '\t' || verdict.CheckRune(r) != nil {
			return verdict.Refuse(verdict.BadText, "the glob names a file with control characters in its name: name the files one by one")
		}
	}
	return nil
}

func addSlash(name string, more int) string {
	if more > 0 {
		return name + "/"
	}
	return name
}
