package contract

import (
	"fmt"
	"strconv"
	"strings"

	"example.org/bridge/internal/harness/finding"
)

// maxWork bounds how many schemas are applied to one value at once.
const maxWork = 20_000

// surveyor looks at a schema before a validator does. A schema that refers to itself
// without going down into the value would keep a validator going forever, and one whose
// parts repeat each other doubles its work with each level.
type surveyor struct {
	nodes   map[string]map[string]any // by JSON Pointer
	anchors map[string][]string
	ids     map[string]bool
	outside string
	work    map[string]int
	active  map[string]bool
	endless bool
}

// survey returns what forbids to use a schema; nil for nothing.
func survey(document any) *finding.Finding {
	s := &surveyor{
		nodes: map[string]map[string]any{}, anchors: map[string][]string{}, ids: map[string]bool{},
		work: map[string]int{}, active: map[string]bool{},
	}
	s.collect("", document)
	s.references()
	if s.outside != "" {
		return &finding.Finding{Kind: finding.OutsideRef, Text: fmt.Sprintf("refers to %q, which was not opened", short(s.outside))}
	}
	for at := range s.nodes {
		if s.weigh(at) > maxWork && !s.endless {
			return &finding.Finding{Kind: finding.BadTool, Text: "is too complex: its parts repeat each other too often"}
		}
	}
	if s.endless {
		return &finding.Finding{Kind: finding.BadTool, Text: "refers to itself without end"}
	}
	return nil
}

// collect notes all objects of a document with their anchors and ids.
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

// references finds one that leads out of the document.
func (s *surveyor) references() {
	for at, node := range s.nodes {
		if strings.HasSuffix(at, "/properties") || isData(at) {
			continue // a property may be called $ref, and data is not a schema
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

// isData reports a place inside of a value that a schema only mentions.
func isData(at string) bool {
	for _, key := range []string{"/const/", "/enum/", "/default/", "/examples/"} {
		if strings.Contains(at+"/", key) {
			return true
		}
	}
	return false
}

// weigh counts the schemas that are applied to the same value as the one at a place.
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

// inPlace are the schemas that one applies to the value itself (JSON Schema 2020-12,
// sections 8.2.3 and 10.2).
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
