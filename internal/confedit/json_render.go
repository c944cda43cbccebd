package confedit

import (
	"bytes"
	"strings"

	"github.com/tailscale/hujson"
)

// Object is a JSON object whose members keep their order.
type Object []Member

// Member is one member of an Object.
type Member struct {
	Name  string
	Value any // an Object, []any, string, int or bool
}

// style describes the formatting of a document.
type style struct {
	newline string
	// unit is one level of indentation.
	unit string
	// oneLine reports whether the document is written without line breaks.
	oneLine bool
}

// defaultUnit is the indentation that the clients themselves use.
const defaultUnit = "  "

func styleOf(d *document) style {
	s := style{newline: newlineOf(d.text), unit: defaultUnit}
	object := d.root.Value.(*hujson.Object)
	body := d.text[d.root.StartOffset:d.root.EndOffset]
	s.oneLine = len(object.Members) > 0 && bytes.IndexByte(body, '\n') < 0
	if len(object.Members) > 0 {
		if indent, ok := indentBefore(d.text, object.Members[0].Name.StartOffset); ok {
			s.unit = indent
		}
	}
	return s
}

// indentBefore returns the white space between the beginning of a line and offset, and
// false if there is anything else in between.
func indentBefore(text []byte, offset int) (string, bool) {
	line := bytes.LastIndexByte(text[:offset], '\n') + 1
	between := text[line:offset]
	return string(between), line > 0 && len(bytes.Trim(between, " \t")) == 0
}

// lineIndent returns the indentation of the line that contains offset.
func lineIndent(text []byte, offset int) string {
	line := bytes.LastIndexByte(text[:offset], '\n') + 1
	rest := text[line:offset]
	return string(rest[:len(rest)-len(bytes.TrimLeft(rest, " \t"))])
}

// render formats a value. Its first line is not indented; later lines are indented by
// indent.
func (s style) render(value any, indent string) string {
	inner := indent + s.unit
	list := func(open, end string, n int, item func(int) string) string {
		if n == 0 {
			return open + end
		}
		items := make([]string, n)
		for i := range n {
			items[i] = item(i)
		}
		if s.oneLine {
			return open + strings.Join(items, ",") + end
		}
		lead := s.newline + inner
		return open + lead + strings.Join(items, ","+lead) + s.newline + indent + end
	}
	switch value := value.(type) {
	case Object:
		return list("{", "}", len(value), func(i int) string { return s.member(member{name: value[i].Name, value: value[i].Value}, inner) })
	case []any:
		return list("[", "]", len(value), func(i int) string { return s.render(value[i], inner) })
	case string:
		return string(hujson.String(value))
	case int:
		return string(hujson.Int(int64(value)))
	case bool:
		return string(hujson.Bool(value))
	}
	return "null"
}

// member formats a member or an element.
func (s style) member(m member, indent string) string {
	if m.element {
		return s.render(m.value, indent)
	}
	colon := ": "
	if s.oneLine {
		colon = ":"
	}
	return string(hujson.String(m.name)) + colon + s.render(m.value, indent)
}

// item is the position of a member of an object, or an element of an array.
type item struct {
	start, end int
	// before and after are the white space and comments around it, up to the commas or
	// brackets. after is empty for the last item unless a comma follows.
	before, after []byte
}

// itemsOf lists the items of an object or array. tail is the text between the last item
// (or its comma) and the closing bracket.
func itemsOf(v *hujson.Value) (items []item, tail []byte, trailingComma bool) {
	var last hujson.Value
	switch c := v.Value.(type) {
	case *hujson.Object:
		for _, m := range c.Members {
			items = append(items, item{m.Name.StartOffset, m.Value.EndOffset, m.Name.BeforeExtra, m.Value.AfterExtra})
			last = m.Value
		}
		tail = c.AfterExtra
	case *hujson.Array:
		for _, e := range c.Elements {
			items = append(items, item{e.StartOffset, e.EndOffset, e.BeforeExtra, e.AfterExtra})
			last = e
		}
		tail = c.AfterExtra
	}
	return items, tail, len(items) > 0 && last.AfterExtra != nil
}

// commentsEnd returns the length of extra without trailing white space, so that
// comments are kept whole.
func commentsEnd(extra []byte) int { return len(bytes.TrimRight(extra, " \t\r\n")) }

// add splices m in as the last item of the object or array v, after any comments.
func (d *document) add(v *hujson.Value, m member) []byte {
	items, tail, trailingComma := itemsOf(v)
	end := v.EndOffset - 1
	at := end - len(tail) + commentsEnd(tail)
	closing := lineIndent(d.text, v.StartOffset)
	if len(items) == 0 {
		return d.with(d.addFirst(m, at, end, closing))
	}
	last := items[len(items)-1]
	s, indent := d.style, ""
	var lead string
	switch i := bytes.LastIndexByte(last.before, '\n'); {
	case i >= 0:
		indent = lineIndent(d.text, last.start)
		lead = s.newline + indent
	case bytes.IndexByte(tail, '\n') >= 0:
		indent = closing + s.unit
		lead = s.newline + indent
	default:
		s.oneLine = true
		lead = string(last.before)
		if len(items) == 1 && !d.style.oneLine {
			lead = " "
		}
	}
	text := lead + s.member(m, indent)
	if trailingComma {
		return d.with(splice(d.text, at, at, text+","))
	}
	return d.with(splice(splice(d.text, at, at, text), last.end, last.end, ","))
}

// addFirst splices m into an object or array that has no items. Its comments end at at;
// the closing bracket is at end.
func (d *document) addFirst(m member, at, end int, closing string) []byte {
	if d.style.oneLine && bytes.IndexByte(d.text[at:end], '\n') < 0 {
		return splice(d.text, at, end, d.style.member(m, ""))
	}
	s := d.style
	s.oneLine = false
	indent := closing + s.unit
	text := s.newline + indent + s.member(m, indent)
	if bytes.IndexByte(d.text[at:end], '\n') >= 0 {
		return splice(d.text, at, at, text)
	}
	return splice(d.text, at, end, text+s.newline+closing)
}

func (d *document) with(text []byte) []byte { return append(append([]byte{}, d.mark...), text...) }
