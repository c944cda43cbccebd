package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// ReadPrompt returns the texts of the messages in the result of prompts/get, and how the
// result violates the protocol, or "".
func ReadPrompt(result json.RawMessage) (texts []string, wrong string) {
	var members struct {
		Messages json.RawMessage `json:"messages"`
	}
	if json.Unmarshal(result, &members) != nil {
		return nil, "the result of prompts/get is not an object"
	}
	if asksFirst(result) {
		return nil, ""
	}
	var messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if len(members.Messages) == 0 || members.Messages[0] != '[' || json.Unmarshal(members.Messages, &messages) != nil {
		return nil, "messages must be an array of objects"
	}
	for i, m := range messages {
		if m.Role != "user" && m.Role != "assistant" {
			return nil, fmt.Sprintf("message %d has the role %q; it must be user or assistant", i+1, short(m.Role))
		}
		if len(m.Content) == 0 {
			return nil, fmt.Sprintf("message %d has no content", i+1)
		}
		one, wrong := readContent(json.RawMessage("[" + string(m.Content) + "]"))
		if wrong != "" {
			return nil, fmt.Sprintf("message %d: %s", i+1, wrong)
		}
		texts = append(texts, one...)
	}
	return texts, ""
}

// checkContents returns how the result of resources/read violates the protocol, or "".
func checkContents(result json.RawMessage) string {
	var members struct {
		Contents json.RawMessage `json:"contents"`
	}
	if json.Unmarshal(result, &members) != nil {
		return "the result of resources/read is not an object"
	}
	if asksFirst(result) {
		return ""
	}
	var contents []struct {
		URI  string  `json:"uri"`
		Text *string `json:"text"`
		Blob *string `json:"blob"`
	}
	if len(members.Contents) == 0 || members.Contents[0] != '[' || json.Unmarshal(members.Contents, &contents) != nil {
		return "contents must be an array of objects"
	}
	for i, c := range contents {
		switch {
		case c.URI == "":
			return fmt.Sprintf("content %d has no uri", i+1)
		case c.Text == nil && c.Blob == nil:
			return fmt.Sprintf("content %d has neither text nor blob", i+1)
		case c.Text == nil && !isBase64(*c.Blob):
			return fmt.Sprintf("the blob of content %d is not base64", i+1)
		}
	}
	return ""
}

func isBase64(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil
}
