package claims

import "strings"

// Overlap reports whether two patterns can match the same file. In a pattern, "**"
// as a whole part matches any number of parts, "*" any characters within a part,
// and "?" one character; every other character matches itself, including brackets
// and braces. Case is ignored, since some systems treat the two spellings as one
// file. A path without wildcards may also be a folder: it overlaps with everything
// that is literally below it.
func Overlap(p, q string) bool {
	a, b := strings.Split(strings.ToLower(p), "/"), strings.Split(strings.ToLower(q), "/")
	return contains(a, b) || contains(b, a) || meet(a, b, func(part string) bool { return part == "**" }, meetParts)
}

// contains reports whether folder is a path without wildcards, and everything
// that pattern matches is below it.
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

// meetParts reports whether a name can match both patterns for a part of a
// path.
func meetParts(p, q string) bool {
	return meet([]rune(p), []rune(q), func(r rune) bool { return r == '*' }, func(a, b rune) bool {
		return a == b || a == '?' || b == '?'
	})
}

// meet reports whether there is a list that both patterns match. many reports
// whether an element of a pattern matches any number of elements, and fits
// whether two other elements can match the same one. The time is proportional to
// the product of the patterns' lengths.
func meet[T any](p, q []T, many func(T) bool, fits func(a, b T) bool) bool {
	// possible[j] is true if there is a list that both p[:i] and q[:j] match.
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
			if many(p[i]) || many(q[j]) { // it matches nothing, or also the other's element
				possible[j+1] = above || possible[j]
			} else {
				possible[j+1] = diagonal && fits(p[i], q[j])
			}
			diagonal = above
		}
	}
	return possible[len(q)]
}
