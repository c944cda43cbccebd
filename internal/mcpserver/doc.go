// Package mcpserver is the bridge as MCP tools and prompts.
package mcpserver
