package ui

// Blocks exports the splitting of a message for tests.
func Blocks(text string) (texts []string, code []bool) {
	for _, b := range blocks(text) {
		texts, code = append(texts, b.Text), append(code, b.Code)
	}
	return texts, code
}
