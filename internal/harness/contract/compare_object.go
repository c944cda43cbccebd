package contract

import (
	"maps"
	"reflect"
	"slices"
)

// properties compares the members of an object, and which of them are required.
func (s *sides) properties(where string, old, now map[string]any) {
	before, _ := old["properties"].(map[string]any)
	after, _ := now["properties"].(map[string]any)
	needed, needs := required(old), required(now)
	for _, name := range keys(before, after) {
		at := where + "." + short(name)
		a, was := before[name]
		b, is := after[name]
		switch {
		case !is && s.output && !needed[name]:
			s.add(Changed, at, "was removed; it was optional")
		case !is:
			s.neither(at, "is gone")
		case !was && needs[name] && !s.output:
			s.neither(at, "is new and required")
		case !was:
			s.add(Compatible, at, "is new")
		default:
			s.compare(at, a, b)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		_, newMember := before[name]
		if !needed[name] && (newMember || after[name] == nil) {
			s.narrower(where+"."+short(name), "is now required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		if !needs[name] && after[name] != nil {
			s.wider(where+"."+short(name), "is now optional")
		}
	}
}

func required(schema map[string]any) map[string]bool {
	names := map[string]bool{}
	list, _ := schema["required"].([]any)
	for _, name := range list {
		if text, ok := name.(string); ok {
			names[text] = true
		}
	}
	return names
}

// nested compares the schemas for the items of an array and for members that properties
// does not list.
func (s *sides) nested(where string, old, now map[string]any) {
	for _, part := range [][2]string{{"items", "[]"}, {"additionalProperties", ".*"}} {
		key, at := part[0], where+part[1]
		a, was := old[key]
		b, is := now[key]
		open, opens := !was || a == true, !is || b == true
		shut, shuts := a == false, b == false
		switch {
		case open && opens || shut && shuts:
		case opens, shut:
			s.wider(at, "accepts more than before")
		case shuts, open:
			s.narrower(at, "accepts less than before")
		default:
			s.compare(at, a, b)
		}
	}
}

// alternatives compares anyOf, oneOf and allOf, whose parts may be in any order. More parts
// accept more values, except for allOf.
func (s *sides) alternatives(where string, old, now map[string]any) {
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		before, was := old[key].([]any)
		after, is := now[key].([]any)
		switch {
		case !was && !is:
			continue
		case !was:
			s.narrower(where, "must now fit %s", key)
			continue
		case !is:
			s.wider(where, "no longer has %s", key)
			continue
		}
		gone, added := without(before, after), without(after, before)
		for _, same := range without(before, gone) {
			s.compare(where, same, same) // the target of a reference in it may differ
		}
		if key == "allOf" {
			gone, added = added, gone
		}
		switch {
		case len(gone) == 1 && len(added) == 1 && key == "allOf":
			s.compare(where, added[0], gone[0])
		case len(gone) == 1 && len(added) == 1:
			s.compare(where, gone[0], added[0])
		case len(gone) > 0 && len(added) > 0:
			s.neither(where, "has different parts in %s", key)
		case len(gone) > 0:
			s.narrower(where, "accepts less than before because of %s", key)
		case len(added) > 0:
			s.wider(where, "accepts more than before because of %s", key)
		}
	}
}

// without returns the schemas of a list that are not in the other list.
func without(list, other []any) (rest []any) {
	var have []string
	for _, schema := range other {
		have = append(have, canonical(schema))
	}
	for _, schema := range list {
		if !slices.Contains(have, canonical(schema)) {
			rest = append(rest, schema)
		}
	}
	return rest
}

// compared are the keywords that are compared individually; those in constraints share one
// rule. All other keywords are not part of JSON Schema 2020-12.
var (
	compared = slices.Concat(lower, upper, []string{
		"type", "enum", "const", "properties", "required", "items", "additionalProperties", "anyOf", "oneOf", "allOf",
		"$defs", "definitions", "$schema", "$id", "$anchor", "$dynamicAnchor", "$comment",
	})
	constraints = []string{
		"pattern", "format", "multipleOf", "uniqueItems", "not", "if", "then", "else", "patternProperties",
		"propertyNames", "prefixItems", "contains", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
		"unevaluatedItems", "$ref", "$dynamicRef", "contentEncoding", "contentMediaType", "contentSchema",
	}
)

// others compares the remaining keywords: a constraint that was added or removed, one that
// differs in a way that cannot be judged, or a text.
func (s *sides) others(where string, old, now map[string]any) {
	for _, key := range keys(old, now) {
		a, was := old[key]
		b, is := now[key]
		switch {
		case slices.Contains(compared, key) || reflect.DeepEqual(a, b):
		case !slices.Contains(constraints, key):
			s.add(Changed, where, "%s is different", short(key))
		case !was || a == false:
			s.narrower(where, "now has the rule %s", key)
		case !is || b == false:
			s.wider(where, "no longer has the rule %s", key)
		default:
			s.neither(where, "%s is different, and old values may not fit", key)
		}
	}
}
