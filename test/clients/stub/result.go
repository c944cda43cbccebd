package stub

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Result is what the client shows to the model as the result of a tool: the
// text or the structured content, perhaps with additions of its own.
type Result string

// Has reports whether the result contains a text verbatim.
func (r Result) Has(text string) bool { return strings.Contains(string(r), text) }

// Text returns a value by its name in the structured content. In a text result,
// it returns the first word that has the form of such a value.
func (r Result) Text(name string) string {
	var fields map[string]any
	if r.data(&fields) {
		value, _ := fields[name].(string)
		return value
	}
	if shape := shapes[name]; shape != nil {
		return shape.FindString(string(r))
	}
	return ""
}

// shapes are the forms of the values that scripts pass on.
var shapes = map[string]*regexp.Regexp{
	"conversation_id": regexp.MustCompile(`conv_[0-9a-f]{16}`),
	"join_code":       JoinCode,
	"resume_code":     regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`),
	"status":          regexp.MustCompile(`\b(working|waiting|blocked|complete)\b`),
}

// JoinCode is the form of a join code.
var JoinCode = regexp.MustCompile(`\b[0-9A-Z]{5}-[0-9A-Z]{5}\b`)

// Messages returns the texts of the messages in the result, in order. ok is
// false if the result is not a list of messages.
func (r Result) Messages() (texts []string, ok bool) {
	var fields struct{ Messages []struct{ Message string } }
	if r.data(&fields) {
		for _, m := range fields.Messages {
			texts = append(texts, m.Message)
		}
		return texts, fields.Messages != nil
	}
	var text []string
	for line := range strings.Lines(string(r)) {
		if quoted, isQuoted := strings.CutPrefix(line, "> "); isQuoted {
			text = append(text, quoted)
			continue
		}
		if len(text) > 0 {
			texts, text = append(texts, strings.TrimSuffix(strings.Join(text, ""), "\n")), nil
		}
	}
	return texts, r.Has("essages: ")
}

// Rest returns the arguments of get_history for the rest of a message of which
// the result contains a part; nil if it is complete.
func (r Result) Rest() Args {
	rest := Args{"limit": 1}
	var fields struct {
		Messages []struct {
			ID   int `json:"message_id"`
			Next int `json:"next_char"`
		}
	}
	if r.data(&fields) && len(fields.Messages) == 1 && fields.Messages[0].Next > 0 {
		rest["before"], rest["from_char"] = fields.Messages[0].ID+1, fields.Messages[0].Next
		return rest
	}
	found := restNote.FindStringSubmatch(string(r))
	if found == nil {
		return nil
	}
	rest["before"], rest["from_char"] = json.Number(found[1]), json.Number(found[2])
	return rest
}

var restNote = regexp.MustCompile(`for the rest call get_history with before=(\d+), limit=1, from_char=(\d+)\]`)

// data decodes structured content, if the client showed that.
func (r Result) data(into any) bool {
	start := strings.IndexByte(string(r), '{')
	if start < 0 {
		return false
	}
	var shown json.RawMessage
	if json.NewDecoder(strings.NewReader(string(r)[start:])).Decode(&shown) != nil {
		return false
	}
	var whole struct{ StructuredContent json.RawMessage }
	if json.Unmarshal(shown, &whole) == nil && whole.StructuredContent != nil {
		shown = whole.StructuredContent
	}
	return json.Unmarshal(shown, into) == nil
}

// Strings returns the result as it is and, if it is JSON, every string in it.
func (r Result) Strings() []string {
	all := []string{string(r)}
	var whole any
	if start := strings.IndexByte(string(r), '{'); start >= 0 {
		_ = json.NewDecoder(strings.NewReader(string(r)[start:])).Decode(&whole) // otherwise it is text
	}
	return appendStrings(all, whole)
}

func appendStrings(all []string, value any) []string {
	switch value := value.(type) {
	case string:
		all = append(all, value)
	case []any:
		for _, v := range value {
			all = appendStrings(all, v)
		}
	case map[string]any:
		for name, v := range value {
			all = appendStrings(append(all, name), v)
		}
	}
	return all
}
