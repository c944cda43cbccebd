package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxMatrix is the maximum number of cases that one case may expand to.
const maxMatrix = 1000

// Planned is a case that runs: one cell of its matrix.
type Planned struct {
	ID        string // suite/case, and [row=value,…] where it has a matrix
	Base      string // the ID without the cell
	Case      Case
	Tags      []string
	DependsOn []string // Base values of other cases
	Cell      map[string]any
}

// Selection says which cases run: those that have one of Tags, have none of SkipTags, and
// whose name contains one of Names. An empty list selects all. The cases that they depend
// on run, too.
type Selection struct{ Tags, SkipTags, Names []string }

// Plan returns the cases to run, in the order of the file.
func (s *Suite) Plan(sel Selection) []Planned {
	var all []Planned
	for _, g := range s.Groups {
		for _, k := range g.Cases {
			if k.Enabled != nil && !*k.Enabled {
				continue
			}
			base := Planned{Base: g.Name + "/" + k.Name, Case: k, Tags: append(slices.Clone(g.Tags), k.Tags...)}
			for _, on := range k.DependsOn {
				base.DependsOn = append(base.DependsOn, qualified(g.Name, on))
			}
			for _, cell := range cells(k.Matrix) {
				p := base
				p.Cell, p.ID = cell, base.Base+label(cell)
				all = append(all, p)
			}
		}
	}
	wanted := map[string]bool{}
	for _, p := range slices.Backward(all) { // dependencies may be listed in any order
		if sel.takes(p) {
			wanted[p.Base] = true
		}
	}
	for grew := true; grew; {
		grew = false
		for _, p := range all {
			for _, on := range p.DependsOn {
				if wanted[p.Base] && !wanted[on] {
					wanted[on], grew = true, true
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(p Planned) bool { return !wanted[p.Base] })
}

func (sel Selection) takes(p Planned) bool {
	has := func(tags []string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(p.Tags, tag) })
	}
	named := slices.ContainsFunc(sel.Names, func(name string) bool { return strings.Contains(p.ID, name) })
	return (len(sel.Tags) == 0 || has(sel.Tags)) && !has(sel.SkipTags) && (len(sel.Names) == 0 || named)
}

func product(matrix map[string][]any) int {
	n := 1
	for _, values := range matrix {
		if n *= max(len(values), 1); n > maxMatrix {
			return n
		}
	}
	return n
}

// cells returns all combinations of a matrix, or one empty cell if there is none.
func cells(matrix map[string][]any) []map[string]any {
	all := []map[string]any{{}}
	for _, row := range slices.Sorted(maps.Keys(matrix)) {
		var next []map[string]any
		for _, cell := range all {
			for _, value := range matrix[row] {
				wider := maps.Clone(cell)
				wider[row] = value
				next = append(next, wider)
			}
		}
		all = next
	}
	return all
}

func label(cell map[string]any) string {
	if len(cell) == 0 {
		return ""
	}
	var parts []string
	for _, row := range slices.Sorted(maps.Keys(cell)) {
		parts = append(parts, row+"="+inText(cell[row]))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// inText formats a value for use inside a longer text.
func inText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
