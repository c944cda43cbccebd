package ui

import "strconv"

// pager holds the links to the previous and next pages of a table. An empty address is not
// shown.
type pager struct {
	First, Last, All  int
	Previous, Further string
}

// paged returns the part of a list that a request asks for. pairs are the other parameters
// of its address.
func paged[T any](r look, all []T, path string, pairs ...string) ([]T, pager) {
	from := int(min(number(r.FormValue("from")), 1<<30))
	if from >= len(all) {
		from = max(len(all)-r.rows, 0)
	}
	to := min(from+r.rows, len(all))
	p := pager{First: from + 1, Last: to, All: len(all)}
	if from > 0 {
		p.Previous = query(path, append(pairs, "from", positive(from-r.rows))...)
	}
	if to < len(all) {
		p.Further = query(path, append(pairs, "from", strconv.Itoa(to))...)
	}
	return all[from:to], p
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}
