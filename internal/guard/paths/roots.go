package paths

// DefaultReadRoots returns the folders outside the workspace that may be read in
// safe and restricted mode, unless the operator configures others.
func DefaultReadRoots() []string { return append(SystemRoots(), DataRoots()...) }

// SystemRoots returns the system's own folders. Programs need them, so the
// sandbox always shows them.
func SystemRoots() []string { return []string{"/usr", "/etc"} }

// DataRoots returns the other folders that may be read, unless the operator
// configures others.
func DataRoots() []string { return []string{"/opt", "/srv", "/var/log", "/var/www"} }

// readFiles are single files outside every root that may be read. They describe
// the machine and contain nobody's data.
var readFiles = map[string]bool{
	"/dev/null":     true,
	"/proc/cpuinfo": true, "/proc/meminfo": true, "/proc/loadavg": true,
	"/proc/uptime": true, "/proc/version": true,
}

// Root is a folder under the path by which it was named and under its real path.
type Root struct{ Lexical, Physical string }

// NewRoot returns the root for a folder, with its symbolic links resolved.
func NewRoot(fsys FS, dir string) (Root, error) {
	actual, err := Resolve(fsys, dir)
	return Root{Lexical: Clean(dir), Physical: actual}, err
}

// Holds reports whether a cleaned path lies in the folder, under either name.
func (r Root) Holds(name string) bool { return Within(name, r.Lexical) || Within(name, r.Physical) }
