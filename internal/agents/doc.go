// Package agents knows what each MCP client needs to work with bridge: where
// its configuration is, what belongs into it, and how to take it out again.
//
//	client.go    the clients, scopes, and what is installed
//	claude.go, codex.go, gemini.go  which entries go into which file
//	target.go    entries into one file, and out of it
//	strip.go     how entries of ours are recognised, whoever moved them
//	install.go   Install and Uninstall: a Plan of changes
//	plan.go      Plan: its diff, and doing it
//	receipt.go   what an installation keeps, so that it can be undone exactly
//	file.go      reading and replacing one file
//	find.go      what is installed, for bridge doctor
//
// Nothing is written before Plan.Apply. A file that cannot be understood is
// left as it is, and so are all others.
package agents
