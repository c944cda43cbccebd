package snapshot

// Ignored judges a path by one list at the top.
func Ignored(list, path string, dir bool) bool {
	return ignored([]rules{parseRules("", list)}, path, dir)
}

// ParseIndex reads git's index.
func ParseIndex(data []byte) ([]string, error) {
	paths, _, err := parseIndex(data)
	return paths, err
}

// Tracked is what git tracks of the repository around a workspace.
func Tracked(top string) []string { return findRepository(top).tracked }
