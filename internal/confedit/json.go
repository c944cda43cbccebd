package confedit

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"example.org/bridge/internal/lazyregexp"
)

// Lookup decodes the value at a path of member names, as json.Unmarshal would; ok is
// false if there is none. If a name occurs twice it takes the last value, like
// JavaScript.
func Lookup(text []byte, path ...string) (value any, ok bool, err error) {
	d, err := parseJSON(text)
	if err != nil || d.empty {
		return nil, false, err
	}
	v := d.root
	for _, name := range path {
		object, isObject := v.Value.(*hujson.Object)
		if !isObject {
			return nil, false, nil
		}
		i := lastMember(object, name)
		if i < 0 {
			return nil, false, nil
		}
		v = object.Members[i].Value
	}
	plain := v.Clone()
	plain.Standardize()
	if err := json.Unmarshal(plain.Pack(), &value); err != nil {
		return nil, false, &SyntaxError{Problem: "a value cannot be decoded"}
	}
	return value, true, nil
}

// Set adds a value at a path whose last name must not exist yet. It creates missing
// objects on the path. In an empty document it creates the top-level object.
func Set(text []byte, path []string, value any) ([]byte, error) {
	return insert(text, path, func(parent *hujson.Value, rest []string) (member, error) {
		if len(rest) == 0 {
			return member{}, &ShapeError{strings.Join(path, "."), "is there already"}
		}
		return member{name: rest[0], value: nest(rest[1:], value)}, nil
	})
}

// Append adds an element to the end of the array at a path. It creates the array, and
// the objects above it, if they are missing.
func Append(text []byte, path []string, element any) ([]byte, error) {
	return insert(text, path, func(parent *hujson.Value, rest []string) (member, error) {
		if len(rest) > 0 {
			return member{name: rest[0], value: nest(rest[1:], []any{element})}, nil
		}
		if _, ok := parent.Value.(*hujson.Array); !ok {
			return member{}, &ShapeError{strings.Join(path, "."), "is not a list"}
		}
		return member{element: true, value: element}, nil
	})
}

// nest wraps a value in objects with one member each.
func nest(path []string, value any) any {
	for _, name := range slices.Backward(path) {
		value = Object{{name, value}}
	}
	return value
}

// member is an insertion: a member of an object, or an element of an array.
type member struct {
	name    string
	value   any
	element bool
}

// insert follows path as far as it exists, calls what for the member to add to the
// value found there, and splices it in.
func insert(text []byte, path []string, what func(*hujson.Value, []string) (member, error)) ([]byte, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	if d.empty {
		return insert(d.fill(), path, what)
	}
	v, depth := &d.root, 0
	for ; depth < len(path); depth++ {
		object, ok := v.Value.(*hujson.Object)
		if !ok {
			return nil, &ShapeError{place(path[:depth]), "is not an object"}
		}
		if countMembers(object, path[depth]) > 1 {
			return nil, &ShapeError{strings.Join(path[:depth+1], "."), "occurs twice, and programs differ in which one they use: keep only one"}
		}
		i := lastMember(object, path[depth])
		if i < 0 {
			break
		}
		v = &object.Members[i].Value
	}
	m, err := what(v, path[depth:])
	if err != nil {
		return nil, err
	}
	return d.add(v, m), nil
}

func place(path []string) string {
	if len(path) == 0 {
		return "the document"
	}
	return strings.Join(path, ".")
}

// document is a parsed JSON text. Offsets in root are relative to the end of the byte
// order mark.
type document struct {
	mark, text []byte
	root       hujson.Value
	// empty reports whether there is nothing but white space.
	empty bool
	style style
}

func parseJSON(text []byte) (*document, error) {
	d := &document{}
	d.mark, d.text = splitBOM(text)
	if len(bytes.TrimSpace(d.text)) == 0 {
		d.empty = true
		return d, nil
	}
	if len(text) > MaxSize {
		return nil, &SyntaxError{Problem: "is larger than " + strconv.Itoa(MaxSize>>20) + " MiB"}
	}
	if tooDeep(d.text) {
		return nil, &SyntaxError{Problem: "is nested deeper than " + strconv.Itoa(maxDepth) + " levels"}
	}
	root, err := hujson.Parse(d.text)
	if err != nil {
		return nil, &SyntaxError{Line: syntaxLine(err), Problem: "is not JSON"}
	}
	d.root = root
	if _, ok := root.Value.(*hujson.Object); !ok {
		return nil, &SyntaxError{Problem: "does not hold a JSON object"}
	}
	d.style = styleOf(d)
	return d, nil
}

// fill turns an empty document into one with an empty object.
func (d *document) fill() []byte {
	return slices.Concat(d.mark, []byte("{}"), []byte(newlineOf(d.text)))
}

var hujsonLine = lazyregexp.New(`^hujson: line (\d+),`)

// syntaxLine returns only the line number of the parser's error, because the error's
// text may repeat content of the file.
func syntaxLine(err error) int {
	if match := hujsonLine().FindStringSubmatch(err.Error()); match != nil {
		line, _ := strconv.Atoi(match[1])
		return line
	}
	return 0
}

// tooDeep reports whether brackets are nested deeper than maxDepth. Brackets in
// comments are counted too.
func tooDeep(text []byte) bool {
	depth, inString, escaped := 0, false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// lastMember returns the index of the last member with that name, or -1.
func lastMember(object *hujson.Object, name string) int {
	for i, m := range slices.Backward(object.Members) {
		if memberName(m) == name {
			return i
		}
	}
	return -1
}

func countMembers(object *hujson.Object, name string) (n int) {
	for _, m := range object.Members {
		if memberName(m) == name {
			n++
		}
	}
	return n
}

func memberName(m hujson.ObjectMember) string { return m.Name.Value.(hujson.Literal).String() }
