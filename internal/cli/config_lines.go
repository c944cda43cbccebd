package cli

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lineIndex maps the dotted keys and tables of a TOML document to the first lines that
// set them. It is needed for error messages, because decoded values have no positions.
func lineIndex(text []byte) map[string]int {
	lines, table := map[string]int{}, ""
	note := func(key string, line int) {
		if _, ok := lines[key]; !ok {
			lines[key] = line
		}
	}
	var p unstable.Parser
	p.Reset(text)
	line, counted := 1, 0
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind == unstable.Comment {
			continue
		}
		key, at := dottedKey(e)
		line += bytes.Count(text[counted:at], []byte{'\n'})
		counted = at
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			note(key, line)
			table = key + "."
		default:
			note(table+key, line)
		}
	}
	return lines
}

// dottedKey returns the key of a table or value, and its offset in bytes.
func dottedKey(e *unstable.Node) (key string, at int) {
	var parts []string
	at = -1
	for k := e.Key(); k.Next(); {
		if at < 0 {
			at = int(k.Node().Raw.Offset)
		}
		parts = append(parts, string(k.Node().Data))
	}
	return strings.Join(parts, "."), max(at, 0)
}

// lineOf returns the line that sets key, or that of its table; 0 if neither is found.
func lineOf(lines map[string]int, key string) int {
	for {
		if line, ok := lines[key]; ok {
			return line
		}
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return 0
		}
		key = key[:dot]
	}
}
