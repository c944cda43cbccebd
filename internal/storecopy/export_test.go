package storecopy

import "strings"

// Columns returns the copied columns of each table, with the names that they have in a
// server.
func Columns() map[string][]string {
	all := map[string][]string{}
	for _, t := range tables {
		for _, column := range t.columns {
			all[t.name] = append(all[t.name], strings.TrimSuffix(column, "?"))
		}
	}
	return all
}
