package contract

import "encoding/json"

// bytesPerToken is how many bytes of JSON make a token of a model, roughly. Models
// differ; a budget needs the same measure each time and no more.
const bytesPerToken = 4

// Tokens estimates what a list costs each conversation that offers it to a model.
func Tokens(list []json.RawMessage) int {
	total := 0
	for _, raw := range list {
		total += len(raw)
	}
	return (total + bytesPerToken - 1) / bytesPerToken
}
