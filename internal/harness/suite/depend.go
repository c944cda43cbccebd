package suite

import (
	"fmt"
	"strings"
)

// dependencies checks that the cases that others depend on exist, and that no case depends
// on itself.
func (c *checker) dependencies() {
	edges, known := map[string][]string{}, map[string]bool{}
	for _, g := range c.suite.Groups {
		for _, k := range g.Cases {
			known[g.Name+"/"+k.Name] = true
		}
	}
	for i, g := range c.suite.Groups {
		for j, k := range g.Cases {
			id := g.Name + "/" + k.Name
			for n, on := range k.DependsOn {
				on = qualified(g.Name, on)
				if !known[on] {
					c.complain(fmt.Sprintf("test_suites[%d].test_cases[%d].depends_on[%d]", i, j, n), "there is no case %q to depend on", on)
				}
				edges[id] = append(edges[id], on)
			}
		}
	}
	state := map[string]int{} // 1 while being visited, 2 when done
	for i, g := range c.suite.Groups {
		for j, k := range g.Cases {
			if circular(g.Name+"/"+k.Name, edges, state) {
				c.complain(fmt.Sprintf("test_suites[%d].test_cases[%d].depends_on", i, j), "this case depends on itself, directly or through others")
			}
		}
	}
}

func circular(id string, edges map[string][]string, state map[string]int) bool {
	switch state[id] {
	case 1:
		return true
	case 2:
		return false
	}
	state[id] = 1
	defer func() { state[id] = 2 }()
	for _, on := range edges[id] {
		if circular(on, edges, state) {
			return true
		}
	}
	return false
}

// qualified returns the full name of a case that another case names.
func qualified(group, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return group + "/" + name
}
