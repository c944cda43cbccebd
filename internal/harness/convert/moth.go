package convert

import (
	"regexp"
	"slices"

	"github.com/theory/jsonpath"

	"example.org/bridge/internal/harness/suite"
)

// moth converts a specification: tools with tests, whose fields apply to the whole result
// of tools/call.
func (c *converter) moth(top node) {
	top.drop("name", "version", "description", "capabilities", "metadata", "test_config")
	c.server(top.below("server"))
	places := map[string]int{}
	for _, tool := range top.list("tools") {
		name := tool.text("name")
		tool.drop("description", "input_schema", "output_schema")
		at, known := places[name]
		if !known {
			at = len(c.suite.Groups)
			places[name] = at
			c.suite.Groups = append(c.suite.Groups, suite.Group{Name: name})
		}
		group := &c.suite.Groups[at]
		for _, test := range tool.list("tests") {
			group.Cases = append(group.Cases, c.mothTest(test, name))
		}
		tool.rest()
	}
	c.qualify()
	top.rest()
}

func (c *converter) mothTest(n node, tool string) suite.Case {
	k := suite.Case{Name: n.text("name"), Description: n.text("description"), Tags: n.texts("tags"), DependsOn: n.texts("depends_on")}
	for _, key := range []string{"dependencies", "requires"} {
		k.DependsOn = append(k.DependsOn, n.texts(key)...)
	}
	input := n.below("input").keys
	expected := n.below("expected")
	fields := expected.list("fields")
	k.ExpectError = expected.truth("error")
	if code := expected.number("error_code"); code != nil {
		whole := int(*code)
		k.Expected.ErrorCode = &whole
	}
	if text := expected.text("error_message_contains"); text != "" {
		k.Expected.Patterns = append(k.Expected.Patterns, regexp.QuoteMeta(text))
	}
	if k.ExpectError || len(fields) == 0 {
		k.Tool, k.Input = tool, input
	} else { // fields apply to the whole result
		k.Method, k.Params = "tools/call", map[string]any{"name": tool, "arguments": input}
	}
	for _, f := range fields {
		if k.ExpectError {
			c.leave(f.at, "a field of an error cannot be checked")
			continue
		}
		if q, ok := f.query(); ok {
			k.Expected.JSON = append(k.Expected.JSON, q)
		}
	}
	expected.drop("allow_extra_fields")
	expected.rest()
	performance(n.below("performance"), &k.Step)
	if ms := n.number("timeout_ms"); ms != nil {
		k.TimeoutSeconds = *ms / 1000
	}
	n.rest()
	return k
}

// query converts a field: a path and its conditions.
func (n node) query() (q suite.Query, ok bool) {
	q.Path = n.text("path")
	if q.Path == "" {
		n.c.leave(n.at, "has no path")
		return q, false
	}
	if required, said := n.take("required").(bool); said && !required {
		q.Optional = true
	}
	q.Equals = n.take("value")
	q.Contains = n.take("contains")
	q.Matches = n.text("pattern")
	if q.Type = n.text("field_type"); q.Type != "" && !slices.Contains(suite.Types(), q.Type) {
		n.c.leave(n.place("field_type"), "there is no type %q", q.Type)
		q.Type = ""
	}
	q.Min, q.Max = n.number("min"), n.number("max")
	for _, length := range []struct {
		key  string
		into **float64
	}{{"min_length", &q.Min}, {"max_length", &q.Max}} {
		if v := n.number(length.key); v != nil {
			*length.into = v
		}
	}
	n.rest()
	readable := n.readable(&q)
	return q, readable
}

// readable reports whether a suite supports a query. If not, the reason is reported.
func (n node) readable(q *suite.Query) bool {
	if _, err := jsonpath.Parse(q.Path); err != nil {
		n.c.leave(n.at, "%q is not a JSONPath (RFC 9535)", q.Path)
		return false
	}
	if _, err := regexp.Compile(q.Matches); err != nil {
		n.c.leave(n.at, "%q is not a regular expression (RE2)", q.Matches)
		q.Matches = ""
	}
	return true
}

// qualify changes the names of tests that others depend on into suite/case, since there
// names are valid in the whole file. A test of the same tool takes precedence over others
// of the same name.
func (c *converter) qualify() {
	homes := map[string][]string{}
	for _, g := range c.suite.Groups {
		for _, k := range g.Cases {
			homes[k.Name] = append(homes[k.Name], g.Name)
		}
	}
	for _, g := range c.suite.Groups {
		for i, k := range g.Cases {
			var known []string
			for _, on := range k.DependsOn {
				switch all := homes[on]; {
				case len(all) == 0:
					c.leave(g.Name+"/"+k.Name, "depends on %q, which does not exist", on)
				case slices.Contains(all, g.Name):
					known = append(known, g.Name+"/"+on)
				default:
					known = append(known, all[0]+"/"+on)
				}
			}
			g.Cases[i].DependsOn = known
		}
	}
}
