package arguments

import (
	"maps"
	"slices"
)

// Invalid returns arguments that do not fit the schema, with a description of the fault, or
// false if it finds none. It makes only faults that every server can detect: a missing
// required parameter, or a value of another type.
func (m *Maker) Invalid() (made map[string]any, why string, ok bool) {
	for range tries {
		base, fits := m.Valid()
		if !fits || len(base) == 0 {
			return nil, "", false
		}
		name := pick(m, slices.Sorted(maps.Keys(base)))
		made := maps.Clone(base)
		if m.chance(40) {
			delete(made, name)
			why = "without the parameter " + name
		} else {
			made[name] = otherType(base[name])
			why = "with another type for the parameter " + name
		}
		if !m.Fits(made) {
			return made, why, true
		}
	}
	return nil, "", false
}

// otherType returns a value that no server accepts in place of one of the given type. It
// does not replace numbers by strings or the reverse, because many servers accept that.
func otherType(value any) any {
	switch value.(type) {
	case map[string]any:
		return []any{"a"}
	default:
		return map[string]any{"unexpected": true}
	}
}
