package mcpserver_test

import (
	"context"
	"encoding/json"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/mcpserver"
)

// BenchmarkToolsList measures the size of the list of tools, which is always in the context
// of an agent's model. A token is about four characters.
func BenchmarkToolsList(b *testing.B) {
	for name, guard := range map[string]*commands.Service{"tools": nil, "with commands": commands.New(commands.Config{})} {
		b.Run(name, func(b *testing.B) {
			c := connectAs(b, bridgetest.NewServed(b), mcpserver.Options{Commands: guard}, nil)
			size := 0
			for b.Loop() {
				list, err := c.ListTools(context.Background(), nil)
				if err != nil {
					b.Fatal(err)
				}
				whole, err := json.Marshal(list.Tools)
				if err != nil {
					b.Fatal(err)
				}
				size = len(whole)
			}
			b.ReportMetric(float64(size)/4, "tokens")
		})
	}
}
