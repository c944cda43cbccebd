package contract

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// sides compares two versions of a schema. Whether accepting fewer or more values breaks
// clients depends on who sends the values: arguments come from clients, results from the
// server.
type sides struct {
	*differ
	old, now any // the documents in which references are resolved
	output   bool
	active   map[[2]string]bool // pairs of references currently being compared
	work     int
}

// mostComparisons limits the work on two schemas with repeated parts.
const mostComparisons = 20_000

func (d *differ) schemas(where string, old, now any) {
	s := &sides{differ: d, old: old, now: now, active: map[[2]string]bool{}}
	s.all(where + ", arguments")
}

func (d *differ) outputs(where string, old, now any) {
	s := &sides{differ: d, old: old, now: now, output: true, active: map[[2]string]bool{}}
	s.all(where + ", result")
}

// all compares the documents.
func (s *sides) all(where string) {
	if reflect.DeepEqual(s.old, s.now) {
		return
	}
	s.compare(where, s.old, s.now)
	if s.work > mostComparisons {
		s.neither(where, "is too complex to be compared completely")
	}
}

// narrower records that fewer values are valid than before.
func (s *sides) narrower(where, format string, args ...any) {
	s.add(s.level(!s.output), where, format, args...)
}

// wider records that more values are valid than before.
func (s *sides) wider(where, format string, args ...any) {
	s.add(s.level(s.output), where, format, args...)
}

// neither records that different values are valid, or that the change cannot be judged.
func (s *sides) neither(where, format string, args ...any) { s.add(Breaking, where, format, args...) }

func (s *sides) level(breaks bool) Level {
	if breaks {
		return Breaking
	}
	return Compatible
}

// compare compares the schemas at one place.
func (s *sides) compare(where string, old, now any) {
	if s.work++; s.work > mostComparisons {
		return
	}
	before, oldRef := follow(s.old, old)
	after, newRef := follow(s.now, now)
	if pair := [2]string{oldRef, newRef}; oldRef+newRef != "" {
		if s.active[pair] {
			return
		}
		s.active[pair] = true
		defer delete(s.active, pair)
	}
	s.types(where, before, after)
	s.values(where, before, after)
	s.bounds(where, before, after)
	s.properties(where, before, after)
	s.nested(where, before, after)
	s.alternatives(where, before, after)
	s.others(where, before, after)
}

// follow converts a schema to an object and resolves references inside the document. It
// returns the last reference, or "".
func follow(document, schema any) (object map[string]any, last string) {
	for range 20 {
		switch v := schema.(type) {
		case bool:
			if v {
				return map[string]any{}, last
			}
			return map[string]any{"not": map[string]any{}}, last
		case map[string]any:
			object = v
		default:
			return map[string]any{}, last
		}
		ref, ok := object["$ref"].(string)
		if !ok || !strings.HasPrefix(ref, "#") {
			return object, last
		}
		target, found := lookup(document, ref[1:])
		if !found {
			return object, last
		}
		schema, last = mergeReference(object, target), ref
	}
	return object, last
}

// mergeReference merges a schema's own keywords with those of its reference.
func mergeReference(object map[string]any, target any) any {
	refers, ok := target.(map[string]any)
	if !ok || len(object) == 1 {
		return target
	}
	all := maps.Clone(refers)
	for key, value := range object {
		if key != "$ref" {
			all[key] = value
		}
	}
	return all
}

// lookup returns the value at a JSON Pointer (RFC 6901).
func lookup(document any, pointer string) (any, bool) {
	if pointer == "" {
		return document, true
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		object, ok := document.(map[string]any)
		if !ok {
			return nil, false
		}
		document, ok = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		if !ok {
			return nil, false
		}
	}
	return document, true
}

// types compares the keyword type.
func (s *sides) types(where string, old, now map[string]any) {
	before, after := typesOf(old), typesOf(now)
	fewer, more := !covers(after, before), !covers(before, after)
	switch {
	case fewer && more:
		s.neither(where, "was %s and is now %s", strings.Join(before, " or "), strings.Join(after, " or "))
	case fewer:
		s.narrower(where, "is now only %s; it was %s", strings.Join(after, " or "), strings.Join(before, " or "))
	case more:
		s.wider(where, "is now %s; it was only %s", strings.Join(after, " or "), strings.Join(before, " or "))
	}
}

var allTypes = []string{"array", "boolean", "null", "number", "object", "string"}

func typesOf(schema map[string]any) (names []string) {
	switch t := schema["type"].(type) {
	case string:
		return []string{t}
	case []any:
		for _, name := range t {
			if text, ok := name.(string); ok {
				names = append(names, text)
			}
		}
		slices.Sort(names)
		return names
	}
	return allTypes
}

// covers reports whether whole contains all types of part; integer is covered by number.
func covers(whole, part []string) bool {
	for _, name := range part {
		if !slices.Contains(whole, name) && !(name == "integer" && slices.Contains(whole, "number")) {
			return false
		}
	}
	return true
}

// values compares enum and const, which list all valid values.
func (s *sides) values(where string, old, now map[string]any) {
	before, limited := listed(old)
	after, limits := listed(now)
	switch {
	case !limited && limits:
		s.narrower(where, "now accepts listed values only")
		return
	case limited && !limits:
		s.wider(where, "now accepts values that are not listed")
		return
	}
	for _, value := range before {
		if !slices.Contains(after, value) {
			s.narrower(where, "no longer accepts %s", short(value))
		}
	}
	for _, value := range after {
		if !slices.Contains(before, value) {
			s.wider(where, "now also accepts %s", short(value))
		}
	}
}

func listed(schema map[string]any) (values []string, limited bool) {
	if value, ok := schema["const"]; ok {
		return []string{canonical(value)}, true
	}
	list, ok := schema["enum"].([]any)
	for _, value := range list {
		values = append(values, canonical(value))
	}
	return values, ok
}

// canonical returns the JSON of a value with sorted keys.
func canonical(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}

// lower and upper are the keywords that limit a number from below and from above.
var (
	lower = []string{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
	upper = []string{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
)

func (s *sides) bounds(where string, old, now map[string]any) {
	for i, key := range slices.Concat(lower, upper) {
		a, was := old[key].(float64)
		b, is := now[key].(float64)
		tighter := b > a == (i < len(lower))
		switch {
		case was == is && a == b:
		case is && !was:
			s.narrower(where, "now has the limit %s %v", key, b)
		case was && !is:
			s.wider(where, "no longer has the limit %s %v", key, a)
		case tighter:
			s.narrower(where, "%s was %v, and is %v", key, a, b)
		default:
			s.wider(where, "%s was %v, and is %v", key, a, b)
		}
	}
}
