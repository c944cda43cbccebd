// Command go is a server that counts words, with the official SDK for Go, over stdio.
// See suite.yaml beside it for how `bridge harness` tests it.
package main

import (
	"context"
	"log"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type countInput struct {
	Text string `json:"text" jsonschema:"the text whose words are counted"`
}

type countOutput struct {
	Words      int `json:"words"`
	Characters int `json:"characters"`
}

func count(_ context.Context, _ *mcp.CallToolRequest, in countInput) (*mcp.CallToolResult, countOutput, error) {
	return nil, countOutput{Words: len(strings.Fields(in.Text)), Characters: len([]rune(in.Text))}, nil
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "words", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{
		Name: "count_words", Description: "Count the words and characters of a text.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true},
	}, count)
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Fatal(err)
	}
}
