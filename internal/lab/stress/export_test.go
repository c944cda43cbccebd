package stress

// WorkPath returns the path of a shared file of a run, or a pattern for several: -1 stands
// for all folders, or all parts.
func WorkPath(folder, part int) workPath { return workPath{folder, part} }
