package snapshot

// Ignored judges a path by one list at the top.
func Ignored(list, path string, dir bool) bool {
	return ignored([]rules{parseRules("", list)}, path, dir)
}

// ParseIndex reads git's index.
var ParseIndex = parseIndex
