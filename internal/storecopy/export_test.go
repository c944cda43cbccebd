package storecopy

import "strings"

// Columns are the columns that are copied of each table, by their names in a server.
func Columns() map[string][]string {
	all := map[string][]string{}
	for _, t := range tables {
		for _, column := range t.columns {
			all[t.name] = append(all[t.name], strings.TrimSuffix(column, "?"))
		}
	}
	return all
}
