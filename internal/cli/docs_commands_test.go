package cli_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/cli"
)

// documents are the documents from which people copy commands.
var documents = []string{"README.md", "PRODUCTION.md", "docs/clients.md", "docs/harness.md", "docs/operations.md", "scripts/production/README.md"}

// TestDocumentedCommands checks that every bridge command in the documents exists and
// accepts these flags and this number of arguments.
func TestDocumentedCommands(t *testing.T) {
	commands := 0
	for _, name := range documents {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range commandsIn(string(text)) {
			commands++
			if problem := parseCommand(line); problem != "" {
				t.Errorf("%s: %q: %s", name, line, problem)
			}
		}
	}
	if commands < 30 {
		t.Errorf("only %d commands were found", commands)
	}
}

// TestCommandsInTexts checks that every bridge command named in an error, its advice or
// an answer to an agent exists and accepts these flags.
func TestCommandsInTexts(t *testing.T) {
	flags := map[string]int{}
	for file, texts := range literals(t, filepath.Join("..", "..", "internal")) {
		for _, text := range texts {
			for _, span := range strings.Split(text, "`")[1:] {
				command, _, _ := strings.Cut(span, "%") // the rest is filled in
				if !strings.HasPrefix(command, "bridge ") {
					continue
				}
				flags[filepath.Base(filepath.Dir(file))] += strings.Count(command, " --")
				if problem := parseCommand(command); problem != "" {
					t.Errorf("%s: %q: %s", file, span, problem)
				}
			}
		}
	}
	if flags["advice"] < 6 || flags["cli"] < 3 {
		t.Errorf("flags by package: %v: the test looks in the wrong place", flags)
	}
}

// literals returns the string literals of the sources below a folder, by file, except
// those of tests.
func literals(t *testing.T, root string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil {
					all[path] = append(all[path], text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	codeSpan = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )*bridge [^`]+)`")
	// A line of a code block, without the parts that the shell handles.
	codeLine = regexp.MustCompile(`^(?:\$ )?((?:[A-Z_]+=\S+ )*bridge [a-z].*)$`)
	behind   = regexp.MustCompile(`\s*(?:[|<>&;#].*|…|\\)$`)
)

// commandsIn returns the commands in code spans and code blocks.
func commandsIn(text string) (lines []string) {
	block := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			block = !block
			continue
		}
		if match := codeLine.FindStringSubmatch(line); block && match != nil {
			lines = append(lines, match[1])
		}
		if !block {
			for _, match := range codeSpan.FindAllStringSubmatch(line, -1) {
				lines = append(lines, match[1])
			}
		}
	}
	return lines
}

// parseCommand returns what is wrong with a command; "" if nothing is.
func parseCommand(line string) string {
	line = behind.ReplaceAllString(line, "")
	words, ok := agents.Words(strings.NewReplacer("{", "", "}", "", "[", "", "]", "", "~", "").Replace(line))
	if !ok {
		return "" // it has more than plain words
	}
	for len(words) > 0 && words[0] != "bridge" {
		words = words[1:]
	}
	if len(words) > 1 && words[1] == "help" {
		return "" // added when commands run
	}
	cmd, rest, err := cli.NewRoot().Find(words[1:])
	if err != nil {
		return err.Error()
	}
	if !cmd.HasParent() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return "there is no such command"
	}
	for _, word := range rest {
		name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if strings.HasPrefix(word, "--") && name != "" && name != "help" && !hasFlag(cmd, name) {
			return "there is no flag --" + name
		}
	}
	return ""
}

// hasFlag reports whether a command has a flag or, if name ends with "-", a flag that
// begins with it.
func hasFlag(cmd *cobra.Command, name string) (found bool) {
	if !strings.HasSuffix(name, "-") {
		return cmd.Flag(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { found = found || strings.HasPrefix(f.Name, name) })
	return found
}
