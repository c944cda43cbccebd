package commands

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/lazyregexp"
)

// Limits on the file contents that an approval binds. Beyond maxContents files, the
// rest is bound by one common hash, so that a script cannot be hidden behind many
// operands.
const (
	maxContents = 64
	maxContent  = 16 << 20
)

// contents returns the hashes of the files that a plan runs by name: scripts among the
// operands, and the script texts of package.json. Files that these read or import are
// not bound.
func contents(workspace string, p guard.Plan) []guard.Content {
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }()
	b := binder{root: root, workspace: workspace, found: make(map[string]guard.Content)}
	if p.Shell != nil {
		b.text(p.Shell[len(p.Shell)-1])
	}
	for _, step := range p.Steps {
		for _, stage := range step.Stages {
			if !stage.Builtin {
				dir := "."
				if in, ok := b.inside(".", stage.Dir); ok && stage.Dir != "" {
					dir = in
				}
				b.words(stage.Argv[0], stage.Argv[1:], []string{dir})
			}
		}
	}
	all := make([]guard.Content, 0, len(b.found))
	for _, c := range b.found {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b guard.Content) int { return strings.Compare(a.Path, b.Path) })
	if len(all) <= maxContents {
		return all
	}
	var together strings.Builder
	for _, c := range all[maxContents:] {
		together.WriteString(c.SHA256 + " " + c.Path + "\x00")
	}
	rest := guard.Content{Path: all[maxContents].Path, What: strconv.Itoa(len(all)-maxContents) + " files: this one and all after it by name", SHA256: hash([]byte(together.String()))}
	return append(all[:maxContents], rest)
}

type binder struct {
	root      *os.Root
	workspace string
	found     map[string]guard.Content
}

// interpreters are programs that run the first file among their arguments, whatever its
// name.
var interpreters = lazyregexp.New(`^(python[0-9.]*|pypy[0-9.]*|node|nodejs|deno|bun|bash|sh|dash|zsh|ksh|ruby|perl|php|lua[0-9.]*|Rscript|pytest|source|\.)$`)

// packageManagers are programs that run scripts from package.json.
var packageManagers = lazyregexp.New(`^(npm|npx|yarn|pnpm|bun)$`)

// scriptEnd matches the extensions of files that can be run by name.
var scriptEnd = lazyregexp.New(`\.(py|sh|bash|zsh|fish|js|mjs|cjs|ts|mts|cts|tsx|jsx|rb|pl|php|lua|mk|ps1|go|rs|java|kts|groovy|swift|jl|r|R|ex|exs|tcl|awk|sed|jq|sql|cmake)$`)

// rulesOption matches the options that name a file of rules, such as make -f and awk
// -f.
var rulesOption = lazyregexp.New(`^(-[a-zA-Z]*f|--file|--makefile|--from-file|--justfile)$`)

// rulesPrograms are the programs that execute such a file.
var rulesPrograms = lazyregexp.New(`^(g?make|[gmn]?awk|g?sed|jq|just|rake|psql|gnuplot|ninja|ant|gradle|docker|docker-compose|podman)$`)

// words checks a program and its arguments. Relative paths are tried in each of dirs.
func (b *binder) words(program string, args, dirs []string) {
	name := path.Base(program)
	runs := interpreters().MatchString(name)
	for _, dir := range dirs {
		for i, word := range append([]string{program}, args...) {
			isRules := i > 1 && rulesOption().MatchString(args[i-2]) && rulesPrograms().MatchString(name)
			if option, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
				word, isRules = value, rulesOption().MatchString(option) && rulesPrograms().MatchString(name)
			}
			word, _, _ = strings.Cut(word, "::") // pytest: a test in a file
			b.file(dir, word, runs || isRules)
		}
		switch {
		case packageManagers().MatchString(name):
			b.packageScripts(dir)
		case name == "make" || name == "gmake":
			for _, makefile := range []string{"GNUmakefile", "makefile", "Makefile"} {
				b.file(dir, makefile, true)
			}
		}
	}
}

// separators split a bash script into words. They need not be exact, because a word
// that is not the name of a file has no effect.
var separators = lazyregexp.New("[\\s;&|<>()`\"'{}$]+")

// text checks every word of a bash script, also relative to the folders that it changes
// to.
func (b *binder) text(text string) {
	words := separators().Split(text, -1)
	dirs := []string{"."}
	for i, word := range words {
		if word == "cd" && i+1 < len(words) {
			dirs = append(dirs, words[i+1])
		}
	}
	runs := slices.ContainsFunc(words, func(w string) bool { return interpreters().MatchString(path.Base(w)) })
	rules := slices.ContainsFunc(words, func(w string) bool { return rulesPrograms().MatchString(path.Base(w)) })
	for i, word := range words {
		b.words(word, nil, dirs)
		if rules && i > 0 && rulesOption().MatchString(words[i-1]) {
			for _, dir := range dirs {
				b.file(dir, word, true)
			}
		}
		if runs && i > 0 && interpreters().MatchString(path.Base(words[i-1])) {
			for _, dir := range dirs {
				b.file(dir, word, true)
			}
		}
	}
}

// file binds a regular file in the workspace if it is a script.
func (b *binder) file(dir, word string, runs bool) {
	if word == "" || strings.HasPrefix(word, "-") {
		return
	}
	name, ok := b.inside(dir, word)
	if !ok {
		return
	}
	if _, done := b.found[name]; done {
		return
	}
	data, mode, err := b.read(name)
	if err != nil {
		return
	}
	if runs || mode&0o111 != 0 || scriptEnd().MatchString(name) || strings.HasPrefix(string(data), "#!") {
		b.found[name] = guard.Content{Path: filepath.ToSlash(name), SHA256: hash(data)}
	}
}

// inside returns a path relative to the workspace.
func (b *binder) inside(dir, word string) (string, bool) {
	if filepath.IsAbs(word) {
		rel, err := filepath.Rel(b.workspace, word)
		return rel, err == nil && filepath.IsLocal(rel)
	}
	name := filepath.Join(dir, word)
	return name, filepath.IsLocal(name)
}

// read opens a file without blocking, because a command may have put a pipe there, and
// reads it. Links that lead out of the workspace are not followed.
func (b *binder) read(name string) ([]byte, os.FileMode, error) {
	f, err := b.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxContent {
		return nil, 0, os.ErrInvalid
	}
	data, err := io.ReadAll(io.LimitReader(f, maxContent))
	return data, info.Mode(), err
}

// packageScripts binds all scripts of package.json, since one may run another, and the
// files that they name.
func (b *binder) packageScripts(dir string) {
	name, ok := b.inside(dir, "package.json")
	if !ok {
		return
	}
	data, _, err := b.read(name)
	if err != nil {
		return
	}
	var manifest struct {
		Scripts map[string]string `json:"scripts"`
	}
	if json.Unmarshal(data, &manifest) != nil {
		manifest.Scripts = map[string]string{"": string(data)} // npm may be able to read what this cannot
	}
	text, err := json.Marshal(manifest.Scripts) // in the order of their names
	if err != nil {
		return
	}
	b.found[name] = guard.Content{Path: filepath.ToSlash(name), What: "scripts", SHA256: hash(text)}
	for _, script := range manifest.Scripts {
		for _, word := range separators().Split(script, -1) {
			b.file(dir, word, false)
		}
	}
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// changedSince marks the contents that differ from an earlier request for the same
// command, and returns their names.
func changedSince(now, before []guard.Content) (marked []guard.Content, names []string) {
	was := make(map[string]string, len(before))
	for _, c := range before {
		was[c.Path] = c.SHA256
	}
	marked = slices.Clone(now)
	for i, c := range marked {
		if was[c.Path] != c.SHA256 {
			marked[i].Changed = true
			names = append(names, c.Path)
		}
		delete(was, c.Path)
	}
	for gone := range was {
		names = append(names, gone)
	}
	slices.Sort(names)
	return marked, names
}
