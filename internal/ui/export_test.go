package ui

// Blocks divides a message, for tests of it alone.
func Blocks(text string) (texts []string, code []bool) {
	for _, b := range blocks(text) {
		texts, code = append(texts, b.Text), append(code, b.Code)
	}
	return texts, code
}
