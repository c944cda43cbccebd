package mcpserver

import (
	"context"

	"github.com/google/jsonschema-go/jsonschema"

	"example.org/bridge/internal/bridge"
)

type releaseFileArgs struct {
	credentialArgs
	Paths []string `json:"paths,omitempty" jsonschema:"As you claimed them; none means all that you hold"`
}

func releaseFile() tool {
	definition := describe[releaseFileArgs]("release_file", "Release files",
		"Give back files that you have claimed. The answer lists what you still hold.",
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
