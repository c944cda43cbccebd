package contract

import "encoding/json"

// bytesPerToken is the approximate number of bytes of JSON per token. Models differ, but a
// budget only needs a consistent measure.
const bytesPerToken = 4

// Tokens estimates how many tokens a list takes up in a model's context.
func Tokens(list []json.RawMessage) int {
	total := 0
	for _, raw := range list {
		total += len(raw)
	}
	return (total + bytesPerToken - 1) / bytesPerToken
}
