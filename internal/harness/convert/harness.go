package convert

import (
	"regexp"
	"strings"

	"example.org/bridge/internal/harness/suite"
)

// harness converts a configuration with test_suites. Keys of a suite are kept; the older
// names of some are recognized as well.
func (c *converter) harness(top node) {
	c.global(top.below("global"))
	c.server(top.below("server"))
	for _, g := range top.list("test_suites") {
		group := suite.Group{Name: g.text("name"), Description: g.text("description"), Tags: g.texts("tags")}
		if group.Name == "" {
			group.Name = g.at
		}
		g.drop("parallel_execution")
		for _, k := range g.list("test_cases") {
			group.Cases = append(group.Cases, c.harnessCase(k))
		}
		g.rest()
		c.suite.Groups = append(c.suite.Groups, group)
	}
	reporting := top.below("reporting")
	c.suite.Reporting.OutputDir = reporting.text("output_dir")
	for _, format := range reporting.texts("formats") {
		if known(format) {
			c.suite.Reporting.Formats = append(c.suite.Reporting.Formats, format)
		} else {
			c.leave(reporting.place("formats"), "there is no format %q", format)
		}
	}
	if days := reporting.number("retention_days"); days != nil {
		c.suite.Reporting.RetentionDays = int(*days)
	}
	c.service(top, reporting)
	reporting.rest()
	c.baselines(top.below("performance"))
	top.rest()
}

func known(format string) bool {
	for _, f := range suite.Formats() {
		if f == format {
			return true
		}
	}
	return false
}

func (c *converter) global(n node) {
	g := &c.suite.Global
	if v := n.number("max_global_concurrency"); v != nil {
		g.MaxConcurrency = int(*v)
	}
	for _, key := range []string{"global_timeout_seconds", "timeout_seconds"} {
		if v := n.number(key); v != nil {
			g.TimeoutSeconds = *v
		}
	}
	g.FailFast = n.truth("fail_fast")
	retry := n.below("retry")
	if v := retry.number("max_retries"); v != nil {
		g.Retry.Max = int(*v)
	}
	if v := retry.number("retry_delay_ms"); v != nil {
		g.Retry.DelayMS = int(*v)
	}
	g.Retry.Exponential, g.Retry.Patterns = retry.truth("exponential_backoff"), retry.texts("retry_on_patterns")
	retry.rest()
	limits := n.below("resource_limits")
	if v := limits.number("max_memory_mb"); v != nil {
		g.Limits.MaxMemoryMB = int(*v)
	}
	limits.rest()
	n.drop("logging", "log_level")
	n.rest()
}

func (c *converter) baselines(n node) {
	b := &c.suite.Baselines
	b.Folder = n.text("baseline_storage_path")
	for _, key := range []string{"thresholds", "regression_detection"} {
		t := n.below(key)
		for name, into := range map[string]*float64{
			"warning_threshold_percent": &b.Thresholds.Warning, "error_threshold_percent": &b.Thresholds.Error, "critical_threshold_percent": &b.Thresholds.Critical,
		} {
			if v := t.number(name); v != nil {
				*into = *v
			}
		}
		t.rest()
	}
	n.rest()
}

func (c *converter) harnessCase(n node) suite.Case {
	k := suite.Case{Description: n.text("description"), Tags: n.texts("tags"), DependsOn: n.texts("depends_on")}
	for _, key := range []string{"name", "id"} {
		if name := n.text(key); k.Name == "" {
			k.Name = name
		}
	}
	for _, key := range []string{"tool", "tool_name"} {
		if tool := n.text(key); k.Tool == "" {
			k.Tool = tool
		}
	}
	for _, key := range []string{"input", "input_params"} {
		if input := n.below(key).keys; len(input) > 0 {
			k.Input = input
		}
	}
	if enabled, said := n.take("enabled").(bool); said && !enabled {
		k.Enabled = &enabled
	}
	if n.truth("expect_error") {
		k.ExpectError = true
	}
	expected := n.below("expected")
	c.patterns(expected, &k)
	performance(n.below("performance"), &k.Step)
	performance(expected.below("performance_requirements"), &k.Step)
	if seconds := n.number("timeout_seconds"); seconds != nil {
		k.TimeoutSeconds = *seconds
	}
	expected.drop("allow_extra_fields")
	if scripts := expected.list("custom_scripts"); len(scripts) > 0 {
		c.leave(expected.place("custom_scripts"), "a program cannot judge an answer: write the condition in expected.json")
	}
	expected.rest()
	n.rest()
	return k
}

// patterns converts conditions: regular expressions on the text, or keys with a validation.
func (c *converter) patterns(n node, k *suite.Case) {
	items, _ := n.keys["patterns"].([]any)
	if len(items) > 0 {
		if _, texts := items[0].(string); texts {
			for _, pattern := range n.texts("patterns") {
				if _, err := regexp.Compile(pattern); err != nil {
					c.leave(n.place("patterns"), "%q is not a regular expression (RE2)", pattern)
					continue
				}
				k.Expected.Patterns = append(k.Expected.Patterns, pattern)
			}
			return
		}
	}
	for _, p := range n.list("patterns") {
		q := suite.Query{Path: "$." + strings.TrimPrefix(p.text("key"), "result.")}
		if required, said := p.take("required").(bool); said && !required {
			q.Optional = true
		}
		if p.below("validation").into(&q) {
			k.Expected.JSON = append(k.Expected.JSON, q)
		}
		p.rest()
	}
}

// into converts one validation; false if it has no counterpart.
func (n node) into(q *suite.Query) bool {
	switch kind := strings.ToLower(n.text("type")); kind {
	case "exists":
	case "range":
		q.Min, q.Max = n.number("min"), n.number("max")
	case "equals":
		q.Equals = n.take("value")
	case "contains":
		values, _ := n.take("values").([]any)
		if v := n.take("value"); v != nil {
			values = append(values, v)
		}
		if len(values) == 0 {
			n.c.leave(n.at, "contains nothing")
			return false
		}
		q.Contains = values[0]
		for _, more := range values[1:] {
			n.c.leave(n.at, "a path can have only one contains: %v is left out", more)
		}
	case "regex", "pattern", "matches":
		q.Matches = n.text("pattern") + n.text("value")
	case "array", "is_array":
		q.Type = "array"
	default:
		n.c.leave(n.at, "there is no validation %q", kind)
		return false
	}
	n.rest()
	return n.readable(q)
}
