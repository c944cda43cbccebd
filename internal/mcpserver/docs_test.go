package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestGoldenToolsDoc checks that docs/tools.md matches the definitions of the tools.
func TestGoldenToolsDoc(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`# The tools

Generated from the code by ` + "`make golden`" + `; do not edit.

Every tool returns the same facts twice: as text and as structured content.
Every answer to an authenticated session, even a refusal, contains ` + "`unread`" + `, the number of
its unread messages. ` + "`unread_by_partner`" + ` is the number of messages that a partner has not
read, whoever sent them; with several partners, ` + "`unread_of_yours`" + ` says how many of them the
caller sent. A failed call has ` + "`isError`" + ` set and says what to do next; its data is
` + "`{error, message, retry_after_seconds, unread, ignored_arguments}`" + `.

` + "`conversation_id`, `session_id` and `token`" + ` authenticate the caller. They may be omitted
if the process knows them: if it was started with BRIDGE_CONVERSATION_ID,
BRIDGE_SESSION_ID and BRIDGE_TOKEN, if it created or joined exactly one conversation, or if
an earlier process of the same client session did (docs/clients.md).

Arguments are accepted in the forms that clients send: ` + "`\"5\"`, `5.0`, `\"true\"`, `\"[\\\"a\\\"]\"`" + `,
names in another case or spelling (` + "`waitSeconds`" + `), and null, an empty text or 0 for an omitted
argument. Unknown arguments are dropped and listed in ` + "`ignored_arguments`" + `.
`)
	for _, tool := range listTools(t) {
		describeTool(t, &doc, tool)
	}
	golden(t, filepath.Join("..", "..", "docs", "tools.md"), []byte(doc.String()))
}

// schemaDoc is the part of a schema that the document shows.
type schemaDoc struct {
	Type        string
	Description string
	Enum        []string
	MinLength   *int
	MaxLength   *int
	Minimum     *float64
	Maximum     *float64
	MaxItems    *int
	Pattern     string
	Properties  map[string]schemaDoc
	Required    []string
}

func describeTool(t *testing.T, doc *strings.Builder, tool *mcp.Tool) {
	t.Helper()
	encoded, err := json.Marshal(tool.InputSchema)
	if err != nil {
		t.Fatal(err)
	}
	var schema schemaDoc
	if err := json.Unmarshal(encoded, &schema); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(doc, "\n## %s\n\n%s\n\n%s\n\n", tool.Name, tool.Description, traitsOf(tool.Annotations))
	doc.WriteString("| argument | type | description |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		p := schema.Properties[name]
		star := ""
		if slices.Contains(schema.Required, name) {
			star = " (required)"
		}
		fmt.Fprintf(doc, "| `%s`%s | %s | %s%s |\n", name, star, p.Type, p.Description, p.rules())
	}
}

func traitsOf(a *mcp.ToolAnnotations) string {
	words := []string{}
	for _, trait := range []struct {
		has  bool
		word string
	}{{a.ReadOnlyHint, "read-only"}, {*a.DestructiveHint, "destructive"}, {a.IdempotentHint, "idempotent"}, {*a.OpenWorldHint, "open world"}} {
		if trait.has {
			words = append(words, trait.word)
		}
	}
	if len(words) == 0 {
		words = []string{"adds, destroys nothing"}
	}
	return "Annotations: " + strings.Join(words, ", ") + "."
}

// rules describes the constraints of a value.
func (s schemaDoc) rules() string {
	var rules []string
	if len(s.Enum) > 0 {
		rules = append(rules, "one of "+strings.Join(s.Enum, ", "))
	}
	switch {
	case s.MaxLength != nil && s.MinLength != nil:
		rules = append(rules, fmt.Sprintf("%d to %d characters", *s.MinLength, *s.MaxLength))
	case s.MaxLength != nil:
		rules = append(rules, fmt.Sprintf("at most %d characters", *s.MaxLength))
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		rules = append(rules, fmt.Sprintf("%v to %v", *s.Minimum, *s.Maximum))
	case s.Minimum != nil:
		rules = append(rules, fmt.Sprintf("at least %v", *s.Minimum))
	}
	if s.MaxItems != nil {
		rules = append(rules, fmt.Sprintf("at most %d", *s.MaxItems))
	}
	if s.Pattern != "" {
		rules = append(rules, "`"+s.Pattern+"`")
	}
	if len(rules) == 0 {
		return ""
	}
	return " (" + strings.Join(rules, "; ") + ")"
}
