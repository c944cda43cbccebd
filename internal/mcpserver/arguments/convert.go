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

// Models and clients write arguments in more ways than a schema allows: numbers
// as text, lists as text of JSON, null for what they leave out. What can only
// mean one thing is written here as the tool takes it. Everything else stays as
// it is, for the decoder or the domain to refuse.

// convert returns a value as the argument of that name takes it, or nil
// where it says nothing: null, and "" for what need not be there.
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

// maxExact is the largest integer up to which a float64 holds every one.
const maxExact = 1 << 53

// integer writes whole numbers such as "5", 20.0 and 2e1 as encoding/json takes
// them: some clients keep every number as a floating-point one.
func integer(value json.RawMessage) json.RawMessage {
	digits := strings.TrimSpace(unquoted(value))
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return strconv.AppendInt(nil, n, 10)
	}
	if !json.Valid([]byte(digits)) { // JSON's numbers only: no 0x10, 1_000, Inf
		return value
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > maxExact {
		return value
	}
	return strconv.AppendInt(nil, int64(n), 10)
}

// boolean writes "true", "False", 1 and 0 as encoding/json takes them.
func boolean(value json.RawMessage) json.RawMessage {
	switch strings.ToLower(strings.TrimSpace(unquoted(value))) {
	case "true", "1":
		return json.RawMessage("true")
	case "false", "0":
		return json.RawMessage("false")
	}
	return value
}

// stringList writes a list that came as text of JSON, and a name alone, as a list.
// Items that say nothing go. A text that may be several names stays what it is.
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

// letters writes letters of sessions with commas between them, such as "B, c", as a
// list of small letters.
func letters(value json.RawMessage) json.RawMessage {
	given, ok := quoted(value)
	if !ok || strings.ContainsAny(given, "[]") {
		return bytes.ToLower(value)
	}
	return encoded(strings.FieldsFunc(strings.ToLower(given), func(r rune) bool { return r == ',' || r == ' ' }))
}

// freeText are arguments in which any text makes sense: a text that is a JSON
// object reaches the bridge as that object from clients that parse too much.
var freeText = map[string]bool{"message": true, "body": true, "note": true}

// text writes numbers, true and false as text, and words of a list and
// credentials without what was wrapped around them.
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
		if len(word) == 1 { // a session: A is a
			word = strings.ToLower(word)
		}
		return encoded(word)
	}
	return value
}

// bare is a word without the spaces and quotes around it.
func bare(word string) string {
	return strings.TrimFunc(word, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`", r) })
}

// scalarText writes a number, true or false as text of the same characters.
func scalarText(value json.RawMessage) json.RawMessage {
	if len(value) > 0 && (value[0] == 't' || value[0] == 'f' || value[0] == '-' || '0' <= value[0] && value[0] <= '9') {
		return encoded(string(value))
	}
	return value
}

// quoted is the text of a JSON string; ok is false where the value is none.
func quoted(value json.RawMessage) (text string, ok bool) {
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return "", false
	}
	return text, true
}

// unquoted is the text of a JSON string, or the value itself where it is none.
func unquoted(value json.RawMessage) string {
	if text, ok := quoted(value); ok {
		return text
	}
	return string(value)
}

// encoded writes a text or a list as JSON, which cannot fail for those.
func encoded(v any) json.RawMessage {
	raw, _ := json.Marshal(v)
	return raw
}
