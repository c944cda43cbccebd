package confedit

import (
	"strings"

	"github.com/tailscale/hujson"
)

// Replace replaces the value at a path, or adds it if there is none. The text around
// it, including comments, is kept.
func Replace(text []byte, path []string, value any) ([]byte, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	if d.empty {
		return Set(text, path, value)
	}
	v := &d.root
	for i, name := range path {
		object, ok := v.Value.(*hujson.Object)
		if !ok {
			return nil, &ShapeError{place(path[:i]), "is not an object"}
		}
		if countMembers(object, name) > 1 {
			return nil, &ShapeError{strings.Join(path[:i+1], "."), "occurs twice, and programs differ in which one they use: keep only one"}
		}
		at := lastMember(object, name)
		if at < 0 {
			return Set(text, path, value)
		}
		v = &object.Members[at].Value
	}
	rendered := d.style.render(value, lineIndent(d.text, v.StartOffset))
	return d.with(splice(d.text, v.StartOffset, v.EndOffset, rendered)), nil
}
