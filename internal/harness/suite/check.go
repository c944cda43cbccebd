package suite

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/theory/jsonpath"
)

// Revisions that server.protocol may name.
var revisions = []string{"auto", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"}

// Formats are the report formats that a suite may request.
func Formats() []string { return []string{"json", "junit", "html"} }

// Types are the types of JSON Schema that a query may require.
func Types() []string {
	return []string{"string", "number", "integer", "boolean", "array", "object", "null"}
}

// MaxConcurrency is the maximum number of servers that a run may use concurrently.
const MaxConcurrency = 64

// checker finds faults of a suite that its types do not exclude.
type checker struct {
	suite    *Suite
	file     *ast.File
	problems []error
}

// complain adds a fault with the line of a place, or of its nearest existing ancestor.
func (c *checker) complain(at, format string, args ...any) {
	e := &Error{Path: c.suite.Path, Text: fmt.Sprintf(format, args...)}
	for place := "$." + at; place != "$" && e.Line == 0; place = place[:max(strings.LastIndexAny(place, ".["), 1)] {
		if path, err := yaml.PathString(place); err == nil {
			if node, err := path.FilterFile(c.file); err == nil {
				e.Line = lineOf(firstKey(node))
			}
		}
	}
	c.problems = append(c.problems, e)
}

// firstKey returns the position at which a mapping begins: its own token is the colon of
// its first key.
func firstKey(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key
		}
	case *ast.MappingValueNode:
		return n.Key
	}
	return node
}

func (c *checker) all(environment string) {
	c.environment(environment)
	c.global()
	c.server()
	c.thresholds()
	c.service()
	c.distribution()
	if c.suite.Reporting.RetentionDays < 0 {
		c.complain("reporting.retention_days", "retention_days must not be less than 0, which keeps reports forever")
	}
	for i, format := range c.suite.Reporting.Formats {
		if !slices.Contains(Formats(), format) {
			c.complain(fmt.Sprintf("reporting.formats[%d]", i), "there is no format %q: use %s", format, strings.Join(Formats(), ", "))
		}
	}
	if len(c.suite.Groups) == 0 {
		c.complain("test_suites", "there are no test_suites: write at least one, with test_cases")
	}
	names := map[string]bool{}
	for i, g := range c.suite.Groups {
		at := fmt.Sprintf("test_suites[%d]", i)
		if g.Name == "" || names[g.Name] {
			c.complain(at+".name", "each of test_suites needs a unique name")
		}
		names[g.Name] = true
		c.group(at, g)
	}
	c.dependencies()
}

// environment applies the changes of one environment.
func (c *checker) environment(name string) {
	s := c.suite
	if name == "" {
		name = s.Global.Environment
	}
	change, ok := s.Environments[name]
	switch {
	case name == "":
		return
	case !ok:
		c.complain("environments", "there is no environment %q: this suite has %s", name, strings.Join(slices.Sorted(maps.Keys(s.Environments)), ", "))
		return
	}
	s.Global.Environment = name
	if change.MaxConcurrency != nil {
		s.Global.MaxConcurrency = *change.MaxConcurrency
	}
	if change.TimeoutSeconds != nil {
		s.Global.TimeoutSeconds = *change.TimeoutSeconds
	}
	if change.FailFast != nil {
		s.Global.FailFast = *change.FailFast
	}
}

const (
	defaultTimeout = 30.0 // seconds
	maxTimeout     = 24 * 3600.0
	maxRetries     = 20
)

func (c *checker) global() {
	g := &c.suite.Global
	if g.MaxConcurrency == 0 {
		g.MaxConcurrency = 1
	}
	if g.TimeoutSeconds == 0 {
		g.TimeoutSeconds = defaultTimeout
	}
	if g.MaxConcurrency < 1 || g.MaxConcurrency > MaxConcurrency {
		c.complain("global.max_global_concurrency", "max_global_concurrency must be from 1 to %d", MaxConcurrency)
	}
	c.timeout("global.global_timeout_seconds", g.TimeoutSeconds)
	if g.Retry.Max < 0 || g.Retry.Max > maxRetries || g.Retry.DelayMS < 0 {
		c.complain("global.retry", "max_retries must be from 0 to %d, and retry_delay_ms not less than 0", maxRetries)
	}
	c.patterns("global.retry.retry_on_patterns", g.Retry.Patterns)
}

func (c *checker) thresholds() {
	t := &c.suite.Baselines.Thresholds
	for _, one := range []struct {
		value *float64
		usual float64
	}{{&t.Warning, 25}, {&t.Error, 50}, {&t.Critical, 100}} {
		if *one.value == 0 {
			*one.value = one.usual
		}
	}
	if t.Warning < 0 || t.Error < t.Warning || t.Critical < t.Error {
		c.complain("performance.thresholds", "the thresholds are percentages from 0 up, with warning the lowest and critical the highest (now %g, %g, %g)", t.Warning, t.Error, t.Critical)
	}
}

func (c *checker) timeout(at string, seconds float64) {
	if seconds < 0 || seconds > maxTimeout {
		c.complain(at, "a time limit must be from 0 to %.0f seconds", maxTimeout)
	}
}

func (c *checker) server() {
	s := &c.suite.Server
	if s.Transport == "" {
		s.Transport = "stdio"
		if s.URL != "" {
			s.Transport = "http"
		}
	}
	if s.Protocol == "" {
		s.Protocol = "auto"
	}
	if s.StartTimeoutSeconds == 0 {
		s.StartTimeoutSeconds = defaultTimeout
	}
	c.timeout("server.startup_timeout_seconds", s.StartTimeoutSeconds)
	if !slices.Contains(revisions, s.Protocol) {
		c.complain("server.protocol", "protocol must be one of %s", strings.Join(revisions, ", "))
	}
	switch address, err := url.Parse(s.URL); {
	case s.Transport != "stdio" && s.Transport != "http":
		c.complain("server.transport", "transport must be stdio or http")
	case s.Transport == "stdio" && (s.Command == "" || s.URL != ""):
		c.complain("server", "a server over stdio needs command, and must not have url")
	case s.Transport == "http" && (err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https"):
		c.complain("server.url", "a server over http needs url, such as http://127.0.0.1:8080/mcp")
	}
}

func (c *checker) group(at string, g Group) {
	if len(g.Cases) == 0 {
		c.complain(at, "there are no test_cases in this suite")
	}
	names := map[string]bool{}
	for i, k := range g.Cases {
		place := fmt.Sprintf("%s.test_cases[%d]", at, i)
		if k.Name == "" || names[k.Name] {
			c.complain(place+".name", "each case needs a unique name in its suite")
		}
		names[k.Name] = true
		c.kase(place, k)
	}
}

func (c *checker) kase(at string, k Case) {
	c.timeout(at+".timeout_seconds", k.TimeoutSeconds)
	if k.Retries != nil && (*k.Retries < 0 || *k.Retries > maxRetries) {
		c.complain(at+".retries", "retries must be from 0 to %d", maxRetries)
	}
	for name, values := range k.Matrix {
		if len(values) == 0 {
			c.complain(at+".matrix."+name, "a row of matrix needs at least one value")
		}
	}
	if n := product(k.Matrix); n > maxMatrix {
		c.complain(at+".matrix", "a matrix may give at most %d cases", maxMatrix)
	}
	if len(k.Steps) == 0 {
		c.step(at, k.Step)
		return
	}
	if k.Tool != "" || k.Method != "" {
		c.complain(at, "a case must have either steps, or tool or method")
	}
	for i, s := range k.Steps {
		c.step(fmt.Sprintf("%s.steps[%d]", at, i), s.Step)
	}
}

func (c *checker) step(at string, s Step) {
	if (s.Tool == "") == (s.Method == "") {
		c.complain(at, "write tool (with input), or method (with params), or steps")
	}
	c.patterns(at+".expected.patterns", s.Expected.Patterns)
	c.patterns(at+".expected.not_patterns", s.Expected.NotPatterns)
	for i, q := range s.Expected.JSON {
		place := fmt.Sprintf("%s.expected.json[%d]", at, i)
		c.query(place+".path", q.Path)
		if q.Matches != "" {
			c.pattern(place+".matches", q.Matches)
		}
		if q.Type != "" && !slices.Contains(Types(), q.Type) {
			c.complain(place+".type", "type must be one of %s", strings.Join(Types(), ", "))
		}
	}
	for name, path := range s.Store {
		c.query(at+".store."+name, path)
	}
}

func (c *checker) query(at, path string) {
	if _, err := jsonpath.Parse(path); err != nil {
		c.complain(at, "this is not a JSONPath (RFC 9535): %s", strings.TrimPrefix(err.Error(), "jsonpath: "))
	}
}

func (c *checker) patterns(at string, patterns []string) {
	for i, p := range patterns {
		c.pattern(fmt.Sprintf("%s[%d]", at, i), p)
	}
}

func (c *checker) pattern(at, pattern string) {
	if _, err := regexp.Compile(pattern); err != nil {
		c.complain(at, "this is not a regular expression (RE2): %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
}
