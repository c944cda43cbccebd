package paths

// DefaultReadRoots are the folders outside the workspace that safe and
// restricted mode may read, unless the operator configures others.
func DefaultReadRoots() []string { return append(SystemRoots(), DataRoots()...) }

// SystemRoots are the machine's own folders. Programs need them, so the sandbox
// always shows them.
func SystemRoots() []string { return []string{"/usr", "/etc"} }

// DataRoots are the other folders that may be read unless the operator
// configures others.
func DataRoots() []string { return []string{"/opt", "/srv", "/var/log", "/var/www"} }

// readFiles are single files outside every root that may be read: they describe
// the machine and hold nothing of anyone.
var readFiles = map[string]bool{
	"/dev/null":     true,
	"/proc/cpuinfo": true, "/proc/meminfo": true, "/proc/loadavg": true,
	"/proc/uptime": true, "/proc/version": true,
}

// Root is a folder as it was named and as it really is.
type Root struct{ Lexical, Physical string }

// NewRoot resolves a folder's links.
func NewRoot(fsys FS, dir string) (Root, error) {
	actual, err := Resolve(fsys, dir)
	return Root{Lexical: Clean(dir), Physical: actual}, err
}

// Holds reports whether a cleaned path lies in the folder, under either name.
func (r Root) Holds(name string) bool { return Within(name, r.Lexical) || Within(name, r.Physical) }
