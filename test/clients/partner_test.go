package clients_test

import (
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/test/clients/stub"
)

// partner is an agent with its own bridge process and without a client.
type partner struct {
	*user
	session *mcp.ClientSession
}

// partner starts one on the user's store.
func (u *user) partner() *partner {
	u.Helper()
	process := u.command(u.Context(), bridgeProgram, "serve")
	session, err := mcp.NewClient(&mcp.Implementation{Name: "partner", Version: "1"}, nil).
		Connect(u.Context(), &mcp.CommandTransport{Command: process}, nil)
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(func() { _ = session.Close() })
	return &partner{u, session}
}

// call calls a tool, which must succeed. Scripts may use it too.
func (p *partner) call(tool string, args stub.Args) stub.Result {
	p.Helper()
	result, err := p.session.CallTool(p.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		p.Errorf("%s: %v", tool, err)
		return ""
	}
	text, err := json.Marshal(result.StructuredContent)
	if err != nil || result.IsError {
		p.Errorf("%s: %v: %s", tool, err, text)
	}
	return stub.Result(text)
}
