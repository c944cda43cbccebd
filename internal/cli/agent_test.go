package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// agentMain is the program agent: an MCP client that starts "bridge serve", with
// its own arguments behind that, and calls tools. Each line of its standard
// input is a tool's name and its arguments as JSON, with $NAME for environment
// variables. It prints the text of each answer, behind "error: " where it is one.
func agentMain() int {
	ctx := context.Background()
	server := exec.Command("bridge", append([]string{"serve"}, os.Args[1:]...)...)
	server.Stderr = os.Stderr
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: server}, nil)
	if err != nil {
		return fatal(err)
	}
	if err := errors.Join(callTools(ctx, session), session.Close()); err != nil {
		return fatal(err)
	}
	return 0
}

func callTools(ctx context.Context, session *mcp.ClientSession) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		tool, arguments, _ := strings.Cut(strings.TrimSpace(os.ExpandEnv(lines.Text())), " ")
		if arguments == "" {
			arguments = "{}"
		}
		answer, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
		if err != nil {
			return err
		}
		for _, content := range answer.Content {
			text, ok := content.(*mcp.TextContent)
			if !ok {
				return fmt.Errorf("%s answered with a %T", tool, content)
			}
			if answer.IsError {
				fmt.Print("error: ")
			}
			fmt.Println(text.Text)
		}
	}
	return lines.Err()
}
