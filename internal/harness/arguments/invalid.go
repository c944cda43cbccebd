package arguments

import (
	"maps"
	"slices"
)

// Invalid makes arguments that do not fit, and says why; false where none were found.
// Only faults that each server can see are made: a required parameter that is missing,
// and a value of another type.
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

// otherType is a value that no server takes for one of the same type. Numbers are not
// given as texts, and the other way round: many servers take them.
func otherType(value any) any {
	switch value.(type) {
	case map[string]any:
		return []any{"a"}
	default:
		return map[string]any{"unexpected": true}
	}
}
