package claims

import "strings"

// Overlap reports whether there can be a file that both patterns mean. In a
// pattern "**" as a whole part stands for any number of parts, "*" for any
// characters of one part and "?" for one of them; every other character stands for
// itself, brackets and braces too. Case does not count: on some systems the two
// spellings are one file. A path without any of these is a file, and may be a
// folder: it overlaps with what is plainly below it.
func Overlap(p, q string) bool {
	a, b := strings.Split(strings.ToLower(p), "/"), strings.Split(strings.ToLower(q), "/")
	return contains(a, b) || contains(b, a) || meet(a, b, func(part string) bool { return part == "**" }, meetParts)
}

// contains reports whether folder is a plain path, and what the pattern means is
// all below it.
func contains(folder, pattern []string) bool {
	if len(folder) >= len(pattern) {
		return false
	}
	for i, part := range folder {
		if strings.ContainsAny(part, "*?") || part != pattern[i] {
			return false
		}
	}
	return true
}

// meetParts reports whether one name can fit two patterns for a part of a path.
func meetParts(p, q string) bool {
	return meet([]rune(p), []rune(q), func(r rune) bool { return r == '*' }, func(a, b rune) bool {
		return a == b || a == '?' || b == '?'
	})
}

// meet reports whether two patterns, as lists, have a list in common: many marks
// what stands for any number of elements, and fits says which two others can be
// the same one. It takes time in proportion to the product of their lengths.
func meet[T any](p, q []T, many func(T) bool, fits func(a, b T) bool) bool {
	// possible[j] reports that p[:i] and q[:j] have a list in common.
	possible := make([]bool, len(q)+1)
	possible[0] = true
	for j := range q {
		possible[j+1] = possible[j] && many(q[j])
	}
	for i := range p {
		diagonal := possible[0]
		possible[0] = possible[0] && many(p[i])
		for j := range q {
			above := possible[j+1]
			if many(p[i]) || many(q[j]) { // it stands for nothing, or for the other's element too
				possible[j+1] = above || possible[j]
			} else {
				possible[j+1] = diagonal && fits(p[i], q[j])
			}
			diagonal = above
		}
	}
	return possible[len(q)]
}
