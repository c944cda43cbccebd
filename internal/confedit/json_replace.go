package confedit

import (
	"strings"

	"github.com/tailscale/hujson"
)

// Replace puts value in place of the one at a path, or adds it where there is
// none. What stands around it, comments included, stays.
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
			return nil, &ShapeError{strings.Join(path[:i+1], "."), "stands there twice, and programs differ in which they take: keep one"}
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
