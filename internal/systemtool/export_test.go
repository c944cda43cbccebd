package systemtool

// FindIn looks in a tree that stands for the whole system, in which owner
// stands for root.
func FindIn(root string, owner uint32, folders []string, name string) (string, error) {
	return finder{root: root, owner: owner, folders: folders}.find(name)
}
