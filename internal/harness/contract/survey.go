package contract

import (
	"fmt"
	"strconv"
	"strings"

	"example.org/bridge/internal/harness/finding"
)

// maxWork limits how many schemas are applied to a single value.
const maxWork = 20_000

// surveyor checks a schema before a validator uses it. A schema that refers to itself
// without descending into the value would make a validator loop forever, and a schema with
// repeated parts can double the work at each level.
type surveyor struct {
	nodes   map[string]map[string]any // by JSON Pointer
	anchors map[string][]string
	ids     map[string]bool
	outside string
	work    map[string]int
	active  map[string]bool
	endless bool
}

// survey returns why a schema cannot be used, or "".
func survey(document any) *finding.Finding {
	s := &surveyor{
		nodes: map[string]map[string]any{}, anchors: map[string][]string{}, ids: map[string]bool{},
		work: map[string]int{}, active: map[string]bool{},
	}
	s.collect("", document)
	s.references()
	if s.outside != "" {
		return &finding.Finding{Kind: finding.OutsideRef, Text: fmt.Sprintf("refers to %q, which is not opened", short(s.outside))}
	}
	for at := range s.nodes {
		if s.weigh(at) > maxWork && !s.endless {
			return &finding.Finding{Kind: finding.BadTool, Text: "is too complex: its parts repeat each other too often"}
		}
	}
	if s.endless {
		return &finding.Finding{Kind: finding.BadTool, Text: "refers to itself endlessly"}
	}
	return nil
}

// collect records all objects of a document with their anchors and ids.
func (s *surveyor) collect(at string, v any) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			s.collect(at+"/"+strconv.Itoa(i), item)
		}
	case map[string]any:
		s.nodes[at] = v
		for _, key := range []string{"$anchor", "$dynamicAnchor"} {
			if name, ok := v[key].(string); ok {
				s.anchors["#"+name] = append(s.anchors["#"+name], at)
			}
		}
		if id, ok := v["$id"].(string); ok {
			s.ids[strings.TrimSuffix(id, "#")] = true
			s.anchors[id] = append(s.anchors[id], at)
		}
		for key, value := range v {
			s.collect(at+"/"+pointer.Replace(key), value)
		}
	}
}

// pointer escapes a key for a JSON Pointer (RFC 6901, section 3).
var pointer = strings.NewReplacer("~", "~0", "/", "~1")

// references returns a reference that leads out of the document, if there is one.
func (s *surveyor) references() {
	for at, node := range s.nodes {
		if strings.HasSuffix(at, "/properties") || isData(at) {
			continue // a property may be named $ref, and data is not a schema
		}
		for _, key := range []string{"$ref", "$dynamicRef"} {
			ref, ok := node[key].(string)
			base, _, _ := strings.Cut(ref, "#")
			if ok && base != "" && !s.ids[base] && s.outside == "" {
				s.outside = ref
			}
		}
	}
}

// isData reports whether a place is inside a value that the schema only contains as data.
func isData(at string) bool {
	for _, key := range []string{"/const/", "/enum/", "/default/", "/examples/"} {
		if strings.Contains(at+"/", key) {
			return true
		}
	}
	return false
}

// weigh counts the schemas that are applied to the same value as the schema at the given
// place.
func (s *surveyor) weigh(at string) int {
	if n, done := s.work[at]; done {
		return n
	}
	if s.active[at] {
		s.endless = true
		return 0
	}
	s.active[at] = true
	total := 1
	for _, next := range s.inPlace(at) {
		total = min(total+s.weigh(next), maxWork+1)
	}
	delete(s.active, at)
	s.work[at] = total
	return total
}

// inPlace returns the subschemas that a schema applies to the value itself (JSON Schema
// 2020-12, sections 8.2.3 and 10.2).
func (s *surveyor) inPlace(at string) (next []string) {
	node := s.nodes[at]
	for _, key := range []string{"$ref", "$dynamicRef"} {
		if ref, ok := node[key].(string); ok {
			next = append(next, s.targets(ref)...)
		}
	}
	for _, key := range []string{"not", "if", "then", "else"} {
		if _, ok := node[key].(map[string]any); ok {
			next = append(next, at+"/"+key)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		items, _ := node[key].([]any)
		for i := range items {
			next = append(next, at+"/"+key+"/"+strconv.Itoa(i))
		}
	}
	if dependent, ok := node["dependentSchemas"].(map[string]any); ok {
		for key := range dependent {
			next = append(next, at+"/dependentSchemas/"+pointer.Replace(key))
		}
	}
	return next
}

func (s *surveyor) targets(ref string) []string {
	_, fragment, _ := strings.Cut(ref, "#")
	switch {
	case ref == "#":
		return []string{""}
	case strings.HasPrefix(ref, "#/"):
		return []string{ref[1:]}
	case fragment != "" && !strings.HasPrefix(fragment, "/"):
		return s.anchors["#"+fragment]
	case fragment != "":
		return append(s.anchors[strings.TrimSuffix(ref, "#"+fragment)], fragment)
	}
	return s.anchors[ref]
}
