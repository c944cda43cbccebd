package files

// For the tests of this package.
var (
	ChangeOf     = changeOf
	ChangedLines = changedLines
	CutText      = cutText
)

// MergeEdit applies an edit of base to a later text.
func MergeEdit(base, later, old, replacement string) (merged string, ok bool) {
	p, err := find(base, old, replacement)
	if err != nil {
		return "", false
	}
	return p.onto(base, later)
}
