package mcpserver

import (
	"context"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type claimFileArgs struct {
	credentialArgs
	Paths     []string `json:"paths" jsonschema:"Relative to the repository's root; patterns with *, ? and **"`
	Exclusive *bool    `json:"exclusive,omitempty" jsonschema:"Default true; false allows others' false"`
	Seconds   int64    `json:"seconds,omitempty" jsonschema:"Default 60; counted from your last call"`
	Reason    string   `json:"reason,omitempty" jsonschema:"Shown to agents that are refused"`
	TaskID    int64    `json:"task_id,omitempty" jsonschema:"Ends with this task"`
}

// claimData is the structured content of an answer that changes claims.
type claimData struct {
	// Paths are the paths that were claimed or released.
	Paths []string `json:"paths"`
	// Held are all claims that the session has now.
	Held   []string `json:"held"`
	Unread int64    `json:"unread"`
}

func claimFile() tool {
	definition := describe[claimFileArgs]("claim_file", "Claim files",
		"Claim up to 20 files or patterns before you edit them: all or none, checked against your whole team. A refusal names the holder. Claims end when you fall silent or call release_file.",
		traits{idempotent: true}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			brief(s)
			refinePaths(s, 1)
			s.Properties["exclusive"].Type, s.Properties["exclusive"].Types = "boolean", nil
			bounds(s, "seconds", claims.MinSeconds, claims.MaxSeconds)
			lengths(s, "reason", 0, claims.MaxReason)
			least := 1.0
			s.Properties["task_id"].Minimum = &least
		})
	return sessionTool(definition, runClaimFile)
}

// refinePaths adds the limits of the list of paths to a schema.
func refinePaths(s *jsonschema.Schema, fewest int) {
	paths, most, least, longest := s.Properties["paths"], claims.MaxPaths, 1, claims.MaxPathLength
	paths.Type, paths.Types, paths.MinItems, paths.MaxItems = "array", nil, &fewest, &most
	paths.Items.MinLength, paths.Items.MaxLength = &least, &longest
}

func runClaimFile(ctx context.Context, s *server, c bridge.Credentials, args claimFileArgs) (answer, error) {
	r, err := s.bridge.Take(ctx, c, claims.Request{
		Paths: args.Paths, Shared: args.Exclusive != nil && !*args.Exclusive, Seconds: args.Seconds, Reason: args.Reason, Task: args.TaskID,
	})
	if err != nil {
		return answer{}, err
	}
	return claimAnswer("You have claimed", r), nil
}

// claimAnswer returns an answer that lists the changed paths, and all claims held
// afterwards.
func claimAnswer(what string, r claims.Result) answer {
	data := claimData{Paths: cleanLines(r.Changed), Held: cleanLines(r.Held), Unread: r.Unread}
	text := what + " " + pathList(data.Paths) + ".\n"
	if len(data.Held) > 0 {
		text += "You hold " + pathList(data.Held) + ".\n"
	}
	return answer{text: text + view.Unread(data.Unread), data: data}
}

func pathList(paths []string) string {
	if len(paths) == 0 {
		return "nothing"
	}
	return strings.Join(paths, ", ")
}

func cleanLines(lines []string) []string {
	clean := make([]string, len(lines))
	for i, line := range lines {
		clean[i] = cleantext.CleanLine(line)
	}
	return clean
}

type releaseFileArgs struct {
	credentialArgs
	Paths []string `json:"paths,omitempty" jsonschema:"As you claimed them; omit to release all"`
}

func releaseFile() tool {
	definition := describe[releaseFileArgs]("release_file", "Release files",
		"Release files that you have claimed. The answer lists what you still hold.",
		traits{}, func(s *jsonschema.Schema) {
			refineCredentials(s)
			brief(s)
			refinePaths(s, 0)
		})
	return sessionTool(definition, runReleaseFile)
}

func runReleaseFile(ctx context.Context, s *server, c bridge.Credentials, args releaseFileArgs) (answer, error) {
	r, err := s.bridge.Release(ctx, c, args.Paths)
	if err != nil {
		return answer{}, err
	}
	return claimAnswer("You have released", r), nil
}
