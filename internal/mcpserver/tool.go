package mcpserver

import (
	"context"
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/mcpserver/arguments"
)

// tool is one MCP tool of the bridge.
type tool struct {
	definition *mcp.Tool
	// waits marks a tool that may take long: later calls do not wait for it.
	waits bool
	call  func(ctx context.Context, s *server, arguments json.RawMessage) (answer, error)
}

// answer is the result of a successful tool call. It contains the same facts twice, because
// some clients show their model only the text and some only the data.
type answer struct {
	text string
	data any
	// claims are the deliveries in the answer.
	claims []bridge.Claim
	// unread is for a refusal; it is nil if the caller is not authenticated.
	unread *int64
	notes  notes
	// standing is the standing of the session, if the operation returned it.
	standing *bridge.Standing
	// question, if set, is shown to the client's human instead of an answer.
	question *commands.Question
}

// traits are the annotations of a tool. No tool reaches beyond this machine.
type traits struct {
	readOnly    bool // changes nothing but the audit log
	idempotent  bool // repeating the call changes nothing more
	destructive bool // may destroy data outside the bridge
}

// describe returns a tool's definition. The title is set only in the annotations, where
// every revision of the protocol looks for it, since a second copy would cost tokens. The
// schema is that of the argument struct Args; refine adds the rules that Go types cannot
// express.
func describe[Args any](name, title, description string, t traits, refine func(*jsonschema.Schema)) *mcp.Tool {
	schema, err := jsonschema.For[Args](nil)
	if err != nil {
		panic(err) // a mistake in a struct tag, found by every test
	}
	refine(schema)
	no := false
	return &mcp.Tool{
		Name:        name,
		Description: description,
		InputSchema: schema,
		Annotations: &mcp.ToolAnnotations{
			Title:           title,
			ReadOnlyHint:    t.readOnly,
			IdempotentHint:  t.idempotent || t.readOnly,
			DestructiveHint: &t.destructive,
			OpenWorldHint:   &no,
		},
	}
}

// sessionTool returns a tool whose calls need the credentials of a session, either as
// arguments or known to the process.
func sessionTool[Args any](
	definition *mcp.Tool,
	run func(ctx context.Context, s *server, c bridge.Credentials, args Args) (answer, error),
) tool {
	name := definition.Name
	return tool{definition: definition, call: func(ctx context.Context, s *server, raw json.RawMessage) (answer, error) {
		given, refused := arguments.Read(raw, definition)
		var args Args
		if refused == nil {
			refused = given.Into(&args)
		}
		a, err := callSession(ctx, s, given, refused, func(c bridge.Credentials) (answer, error) {
			return run(ctx, s, c, args)
		}, name)
		a.notes.Ignored = given.Ignored
		return a, err
	}}
}

// callSession calls run for the session that the arguments name or the process knows. It
// does nothing if the arguments were rejected.
func callSession(
	ctx context.Context, s *server, given arguments.Arguments, refused error,
	run func(bridge.Credentials) (answer, error), name string,
) (answer, error) {
	var partial struct{ credentialArgs }
	_ = given.Into(&partial) // as far as they can be decoded, to record who was refused
	c, err := s.complete(ctx, partial.credentialArgs)
	switch {
	case err != nil:
		_ = s.bridge.RefuseCall(ctx, c, name, err) // only for the audit log; err is returned anyway
		return answer{}, err
	case refused != nil:
		return s.refused(ctx, c), s.bridge.RefuseCall(ctx, c, name, refused)
	}
	a, err := run(c)
	if err != nil {
		return s.refused(ctx, c), err
	}
	shared := a.notes.Shared
	a.notes = s.passed(ctx, c, a.standing)
	for other, files := range shared {
		a.notes.Shared = a.notes.Shared.With(other, files)
	}
	return a, nil
}

// refused returns the answer that goes with the refusal of a session's call: the number of
// its unread messages, if the credentials are valid.
func (s *server) refused(ctx context.Context, c bridge.Credentials) answer {
	if standing, ok := s.bridge.Standing(ctx, c); ok {
		return answer{unread: &standing.Unread, notes: notesOf(standing)}
	}
	return answer{}
}

// openTool returns a tool that needs no credentials.
func openTool[Args any](definition *mcp.Tool, run func(ctx context.Context, s *server, args Args) (answer, error)) tool {
	return tool{definition: definition, call: func(ctx context.Context, s *server, raw json.RawMessage) (answer, error) {
		given, err := arguments.Read(raw, definition)
		var args Args
		if err == nil {
			err = given.Into(&args)
		}
		var a answer
		if err != nil {
			err = s.bridge.RefuseOpenCall(ctx, definition.Name, err)
		} else {
			a, err = run(ctx, s, args)
		}
		a.notes.Ignored = given.Ignored
		return a, err
	}}
}

// sessionPattern matches the letter of a session.
const sessionPattern = "^[a-z]$"

// refineCredentials adds the formats of the credentials to a schema.
func refineCredentials(schema *jsonschema.Schema) {
	schema.Properties["conversation_id"].Pattern = bridge.ConversationPattern
	schema.Properties["session_id"].Pattern = sessionPattern
	schema.Properties["token"].Pattern = "^.{12,64}$" // a resume code is accepted, too
}

// sessionList adds the format of a list of sessions, or of "all", to a schema.
func sessionList(schema *jsonschema.Schema, property string) {
	list, most := schema.Properties[property], bridge.MaxSessions
	list.Type, list.Types, list.MaxItems = "array", nil, &most
	list.Items.Pattern = "^([a-z]|all)$"
}

func lengths(schema *jsonschema.Schema, property string, least, most int) {
	schema.Properties[property].MinLength = &least
	schema.Properties[property].MaxLength = &most
}

func bounds(schema *jsonschema.Schema, property string, least, most float64) {
	schema.Properties[property].Minimum = &least
	schema.Properties[property].Maximum = &most
}

func oneOf[T ~string](schema *jsonschema.Schema, property string, words []T) {
	for _, w := range words {
		schema.Properties[property].Enum = append(schema.Properties[property].Enum, string(w))
	}
}
