package systemtool

// FindIn searches a tree in place of the whole system, with owner in place of
// root.
func FindIn(root string, owner uint32, folders []string, name string) (string, error) {
	return finder{root: root, owner: owner, folders: folders}.find(name)
}
