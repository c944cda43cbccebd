package confedit

import (
	"bytes"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// sectionsOf splits a valid document at its headers.
func sectionsOf(document []byte) ([]Section, error) {
	mark, text := splitBOM(document)
	var sections []Section
	p := unstable.Parser{}
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.Table && e.Kind != unstable.ArrayTable {
			continue
		}
		s := Section{List: e.Kind == unstable.ArrayTable}
		for key := e.Key(); key.Next(); {
			if s.Path == nil {
				s.start = beginningOfLine(text, int(key.Node().Raw.Offset))
			}
			s.Path = append(s.Path, string(key.Node().Data))
		}
		sections = append(sections, s)
	}
	for i := range sections {
		s, next := &sections[i], len(text)
		if i+1 < len(sections) {
			next = sections[i+1].start
		}
		s.end = s.start + endOfValues(text[s.start:next])
		if err := toml.Unmarshal(afterHeader(text[s.start:s.end]), &s.Values); err != nil {
			return nil, &SyntaxError{Line: lineAt(text, s.start), Problem: "is a table that cannot be read by itself"}
		}
		s.start, s.end = s.start+len(mark), s.end+len(mark)
	}
	return sections, p.Error()
}

func beginningOfLine(text []byte, offset int) int {
	return bytes.LastIndexByte(text[:offset], '\n') + 1
}

// endOfValues returns the end of the last line of a section that is neither empty nor a
// comment. Comments after it most likely belong to the next section.
func endOfValues(section []byte) int {
	end := 0
	for offset := 0; offset < len(section); {
		line := section[offset:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		offset += len(line)
		if content := bytes.TrimSpace(line); len(content) > 0 && content[0] != '#' {
			end = offset
		}
	}
	return end
}

// afterHeader returns everything after the first line.
func afterHeader(section []byte) []byte {
	if i := bytes.IndexByte(section, '\n'); i >= 0 {
		return section[i+1:]
	}
	return nil
}
