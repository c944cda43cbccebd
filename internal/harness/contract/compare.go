package contract

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Level is the effect of a change on clients that know the older contract.
type Level string

// Levels of changes. Breaking: a client that follows the old contract can fail, or a tool
// can have unexpected effects. Changed: only texts for a model or a person differ.
// Compatible: old clients continue to work.
const (
	Breaking   Level = "breaking"
	Changed    Level = "changed"
	Compatible Level = "compatible"
)

// Levels returns all levels, worst first.
func Levels() []Level { return []Level{Breaking, Changed, Compatible} }

// Change is one difference between two contracts.
type Change struct {
	Level Level  `json:"level"`
	Where string `json:"where"`
	Text  string `json:"text"`
}

// Compare returns the differences between the promises of a server, worst first.
func Compare(old, now *Snapshot) []Change {
	d := &differ{}
	if old.Revision != now.Revision {
		level := Changed
		if now.Revision < old.Revision { // revisions are dates
			level = Breaking
		}
		d.add(level, "revision", "was %s and is now %s", old.Revision, now.Revision)
	}
	d.capabilities("capabilities", old.Capabilities, now.Capabilities)
	if old.Instructions != now.Instructions {
		d.add(Changed, "instructions", "have changed")
	}
	d.items("tool", old.Tools, now.Tools, d.tool)
	d.items("resource", old.Resources, now.Resources, d.resource)
	d.items("resource template", old.Templates, now.Templates, d.resource)
	d.items("prompt", old.Prompts, now.Prompts, d.prompt)
	rank := func(c Change) int { return slices.Index(Levels(), c.Level) }
	slices.SortStableFunc(d.changes, func(a, b Change) int { return cmp.Compare(rank(a), rank(b)) })
	return d.changes
}

type differ struct{ changes []Change }

func (d *differ) add(level Level, where, format string, args ...any) {
	d.changes = append(d.changes, Change{level, where, fmt.Sprintf(format, args...)})
}

// keys returns the keys of both maps, sorted.
func keys[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// items compares two lists and each item that is in both.
func (d *differ) items(what string, old, now map[string]map[string]any, each func(where string, old, now map[string]any)) {
	for _, id := range keys(old, now) {
		where := what + " " + short(id)
		before, was := old[id]
		after, is := now[id]
		switch {
		case !is:
			d.add(Breaking, where, "is gone")
		case !was:
			d.add(Compatible, where, "is new")
		default:
			each(where, before, after)
		}
	}
}

// capabilities compares what the server offers: losing a capability breaks clients.
func (d *differ) capabilities(where string, old, now map[string]any) {
	for _, key := range keys(old, now) {
		at := where + "." + short(key)
		before, was := old[key]
		after, is := now[key]
		beforeMap, both := before.(map[string]any)
		afterMap, too := after.(map[string]any)
		switch {
		case was && !is || before == true && after == false:
			d.add(Breaking, at, "is no longer offered")
		case is && !was || before == false && after == true:
			d.add(Compatible, at, "is now offered")
		case both && too:
			d.capabilities(at, beforeMap, afterMap)
		case !reflect.DeepEqual(before, after):
			d.add(Changed, at, "has a different value")
		}
	}
}

// tool compares two versions of a tool.
func (d *differ) tool(where string, old, now map[string]any) {
	d.schemas(where, old["inputSchema"], now["inputSchema"])
	switch before, after := old["outputSchema"], now["outputSchema"]; {
	case before != nil && after == nil:
		d.add(Breaking, where, "no longer has an outputSchema")
	case before == nil && after != nil:
		d.add(Compatible, where, "now has an outputSchema")
	case before != nil:
		d.outputs(where, before, after)
	}
	before, _ := old["annotations"].(map[string]any)
	after, _ := now["annotations"].(map[string]any)
	d.hints(where, before, after)
	d.rest(where, old, now, "inputSchema", "outputSchema", "annotations")
}

// hintDefaults are the annotations by which clients decide whether to ask a person, with
// the default of each. True is the worse value of all except readOnlyHint and
// idempotentHint.
var hintDefaults = map[string]bool{"readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true}

// hints compares annotations: a client that treated a tool as harmless must know if that is
// no longer true.
func (d *differ) hints(where string, old, now map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(hintDefaults)) {
		before, after := hint(old, name), hint(now, name)
		if before == after {
			continue
		}
		good := name == "readOnlyHint" || name == "idempotentHint" // for these, true is the promise
		level := Compatible
		if before == good {
			level = Breaking
		}
		d.add(level, where, "%s was %t and is now %t", name, before, after)
	}
	var all []string
	for name := range hintDefaults {
		all = append(all, name)
	}
	d.rest(where+", annotations", old, now, all...)
}

func hint(annotations map[string]any, name string) bool {
	if value, ok := annotations[name].(bool); ok {
		return value
	}
	return hintDefaults[name]
}

// resource compares two versions of a resource or a template.
func (d *differ) resource(where string, old, now map[string]any) {
	if old["mimeType"] != nil && !reflect.DeepEqual(old["mimeType"], now["mimeType"]) {
		d.add(Breaking, where, "has a different mimeType")
	} else if now["mimeType"] != nil && old["mimeType"] == nil {
		d.add(Compatible, where, "now has a mimeType")
	}
	d.rest(where, old, now, "mimeType", "size")
}

// prompt compares two versions of a prompt with their arguments.
func (d *differ) prompt(where string, old, now map[string]any) {
	before, after := arguments(old), arguments(now)
	for _, name := range keys(before, after) {
		at := where + ", argument " + short(name)
		a, was := before[name]
		b, is := after[name]
		needed, needs := a["required"] == true, b["required"] == true
		switch {
		case !is:
			d.add(Breaking, at, "is gone")
		case !was && needs, was && needs && !needed:
			d.add(Breaking, at, "is now required")
		case !was:
			d.add(Compatible, at, "is new and optional")
		case needed && !needs:
			d.add(Compatible, at, "is now optional")
		}
		if was && is {
			d.rest(at, a, b, "required")
		}
	}
	d.rest(where, old, now, "arguments")
}

func arguments(prompt map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	list, _ := prompt["arguments"].([]any)
	for _, item := range list {
		argument, _ := item.(map[string]any)
		if name, ok := argument["name"].(string); ok {
			all[name] = argument
		}
	}
	return all
}

// rest reports differing members that no rule above covers: texts, icons, _meta.
func (d *differ) rest(where string, old, now map[string]any, judged ...string) {
	for _, key := range keys(old, now) {
		if !slices.Contains(judged, key) && !reflect.DeepEqual(old[key], now[key]) {
			d.add(Changed, where, "%s is different", short(key))
		}
	}
}
