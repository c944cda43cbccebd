package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/bridge/internal/agents"
	"example.org/bridge/internal/cli"
)

// documents are those whose commands people copy.
var documents = []string{"README.md", "PRODUCTION.md", "docs/clients.md", "docs/harness.md", "docs/operations.md", "scripts/production/README.md"}

// TestDocumentedCommands: each command of bridge's in the documents exists, with
// these flags and so many arguments.
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

var (
	codeSpan = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )*bridge [^`]+)`")
	// A line of a code block; what a shell would do behind it is cut off.
	codeLine = regexp.MustCompile(`^(?:\$ )?((?:[A-Z_]+=\S+ )*bridge [a-z].*)$`)
	behind   = regexp.MustCompile(`\s*(?:[|<>&;#].*|…|\\)$`)
)

// commandsIn finds the commands in code spans and code blocks.
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

// parseCommand says what is wrong with a command; "" for nothing.
func parseCommand(line string) string {
	line = behind.ReplaceAllString(line, "")
	words, ok := agents.Words(strings.NewReplacer("{", "", "}", "", "[", "", "]", "", "~", "").Replace(line))
	if !ok {
		return "" // more than plain words
	}
	for len(words) > 0 && words[0] != "bridge" {
		words = words[1:]
	}
	if len(words) > 1 && words[1] == "help" {
		return "" // is added when the commands are run
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
		if strings.HasPrefix(word, "--") && name != "" && name != "help" && cmd.Flag(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
			return "there is no flag --" + name
		}
	}
	return ""
}
