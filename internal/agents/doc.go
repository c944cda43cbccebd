// Package agents configures MCP clients to work with bridge: it finds each client's
// configuration files, adds the entries that bridge needs, and removes them again.
//
//	client.go    the clients, scopes, and what is installed
//	claude.go, codex.go, gemini.go  which entries go into which file
//	target.go    adds entries to one file
//	strip.go     removes entries of ours, also where somebody has moved them
//	install.go   Install and Uninstall: a Plan of changes
//	plan.go      Plan: its diff, and applying it
//	receipt.go   what an installation saves so that it can be undone exactly
//	file.go      reading and replacing one file
//	find.go      what is installed, for bridge doctor
//
// Nothing is written before Plan.Apply. If one file cannot be parsed, no file is
// changed.
package agents
