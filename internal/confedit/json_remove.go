package confedit

import (
	"bytes"

	"github.com/tailscale/hujson"
)

// Delete removes the value at a path of member names (string) and indices (int),
// together with its comma. Comments are kept. If there is nothing at the path, it
// returns the text unchanged.
func Delete(text []byte, path ...any) ([]byte, error) {
	d, err := parseJSON(text)
	if err != nil || d.empty {
		return text, err
	}
	parent := &d.root
	for i, step := range path {
		index := indexOf(parent, step)
		if index < 0 {
			return text, nil
		}
		if i == len(path)-1 {
			return d.with(d.cut(parent, index)), nil
		}
		parent = childOf(parent, index)
	}
	return text, nil
}

// indexOf returns the index of the member or element that step names in v, or -1.
func indexOf(v *hujson.Value, step any) int {
	switch c := v.Value.(type) {
	case *hujson.Object:
		if name, ok := step.(string); ok {
			return lastMember(c, name)
		}
	case *hujson.Array:
		if i, ok := step.(int); ok && i < len(c.Elements) {
			return i
		}
	}
	return -1
}

func childOf(v *hujson.Value, index int) *hujson.Value {
	if object, ok := v.Value.(*hujson.Object); ok {
		return &object.Members[index].Value
	}
	return &v.Value.(*hujson.Array).Elements[index]
}

// cut removes item i of v: from the end of the comments before it to the comma after
// it, or for the last item also the comma before it.
func (d *document) cut(v *hujson.Value, i int) []byte {
	items, tail, trailingComma := itemsOf(v)
	it := items[i]
	from, to := d.afterComments(it), it.end
	switch comma := it.end + len(it.after); {
	case i < len(items)-1 || trailingComma:
		to = comma + 1
	case i > 0:
		previous := items[i-1].end + len(items[i-1].after)
		return splice(splice(d.text, from, to, ""), previous, previous+1, "")
	}
	if len(items) == 1 && from == v.StartOffset+1 && commentsEnd(tail) == 0 {
		to = v.EndOffset - 1
	}
	return splice(d.text, from, to, "")
}

// afterComments returns the offset after the comments that precede an item. It includes
// the line break if otherwise a line comment would swallow what follows the item.
func (d *document) afterComments(it item) int {
	start := it.start - len(it.before)
	kept := commentsEnd(it.before)
	follows := bytes.TrimLeft(d.text[it.end+len(it.after):], " \t\r,")
	if kept > 0 && !bytes.HasPrefix(follows, []byte("\n")) {
		if i := bytes.IndexByte(it.before[kept:], '\n'); i >= 0 {
			kept += i + 1
		}
	}
	return start + kept
}
