package arguments

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Models and clients write arguments in more ways than a schema allows: numbers as text,
// lists as JSON text, null for omitted values. A value with only one possible meaning is
// converted here. Everything else is left unchanged, for the decoder or the domain to
// reject.

// convert returns a value converted to the type of the named argument, or nil if the value
// is to be treated as omitted: null, and "" for an optional argument.
func convert(name string, schema *jsonschema.Schema, value json.RawMessage, required bool) json.RawMessage {
	value = bytes.TrimSpace(value)
	if string(value) == "null" || string(value) == `""` && !required {
		return nil
	}
	switch schema.Type {
	case "integer":
		return integer(value)
	case "boolean":
		return boolean(value)
	case "array":
		if name == "to" {
			value = letters(value)
		}
		return stringList(value)
	case "string":
		return text(schema, value, freeText[name])
	}
	return value
}

// maxExact is the largest integer below which a float64 represents every integer exactly.
const maxExact = 1 << 53

// integer converts whole numbers such as "5", 20.0 and 2e1 to the form that encoding/json
// accepts: some clients send every number as a floating-point number.
func integer(value json.RawMessage) json.RawMessage {
	digits := strings.TrimSpace(unquoted(value))
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return strconv.AppendInt(nil, n, 10)
	}
	if !json.Valid([]byte(digits)) { // only JSON numbers: not 0x10, 1_000 or Inf
		return value
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > maxExact {
		return value
	}
	return strconv.AppendInt(nil, int64(n), 10)
}

// boolean converts "true", "False", 1 and 0 to the form that encoding/json accepts.
func boolean(value json.RawMessage) json.RawMessage {
	switch strings.ToLower(strings.TrimSpace(unquoted(value))) {
	case "true", "1":
		return json.RawMessage("true")
	case "false", "0":
		return json.RawMessage("false")
	}
	return value
}

// stringList converts a list that was sent as JSON text, or a single name, to a list. Empty
// items are dropped. A text that may contain several names is left unchanged.
func stringList(value json.RawMessage) json.RawMessage {
	var items []json.RawMessage
	if alone, ok := quoted(value); !ok || json.Unmarshal([]byte(alone), &items) != nil {
		switch {
		case !ok && json.Unmarshal(value, &items) == nil:
		case !ok || strings.ContainsAny(alone, ",;\n"):
			return value
		default:
			items = []json.RawMessage{value}
		}
	}
	kept := items[:0]
	for _, item := range items {
		item = bytes.TrimSpace(item)
		if string(item) != "null" && string(item) != `""` {
			kept = append(kept, scalarText(item))
		}
	}
	return encoded(kept)
}

// letters converts comma-separated session letters, such as "B, c", to a list of lower-case
// letters.
func letters(value json.RawMessage) json.RawMessage {
	given, ok := quoted(value)
	if !ok || strings.ContainsAny(given, "[]") {
		return bytes.ToLower(value)
	}
	return encoded(strings.FieldsFunc(strings.ToLower(given), func(r rune) bool { return r == ',' || r == ' ' }))
}

// freeText lists the arguments for which any text is valid. Clients that parse too eagerly
// send text that is a JSON object as that object.
var freeText = map[string]bool{"message": true, "body": true, "note": true}

// text converts numbers, true and false to text, and strips wrapping characters from
// enumerated words and credentials.
func text(schema *jsonschema.Schema, value json.RawMessage, free bool) json.RawMessage {
	value = scalarText(value)
	given, ok := quoted(value)
	switch {
	case !ok && free:
		return encoded(string(value))
	case !ok:
		return value
	case len(schema.Enum) > 0:
		if word := strings.ToLower(bare(given)); slices.Contains(schema.Enum, any(word)) {
			return encoded(word)
		}
	case schema.Pattern != "":
		word := bare(given)
		if len(word) == 1 { // a session: A stands for a
			word = strings.ToLower(word)
		}
		return encoded(word)
	}
	return value
}

// bare returns a word without surrounding spaces and quotes.
func bare(word string) string {
	return strings.TrimFunc(word, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`", r) })
}

// scalarText returns the text of a number, true or false, unchanged.
func scalarText(value json.RawMessage) json.RawMessage {
	if len(value) > 0 && (value[0] == 't' || value[0] == 'f' || value[0] == '-' || '0' <= value[0] && value[0] <= '9') {
		return encoded(string(value))
	}
	return value
}

// quoted returns the text of a JSON string; ok is false if the value is not a string.
func quoted(value json.RawMessage) (text string, ok bool) {
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return "", false
	}
	return text, true
}

// unquoted returns the text of a JSON string, or the value itself if it is not a string.
func unquoted(value json.RawMessage) string {
	if text, ok := quoted(value); ok {
		return text
	}
	return string(value)
}

// encoded encodes a text or a list as JSON, which cannot fail for these types.
func encoded(v any) json.RawMessage {
	raw, _ := json.Marshal(v)
	return raw
}
