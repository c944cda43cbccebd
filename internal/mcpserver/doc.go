// Package mcpserver is the bridge as MCP tools over a hardened stdio transport.
//
// The transport half stands between one MCP client and the SDK. It takes
// whatever bytes arrive, answers what is wrong with the JSON-RPC error that the
// specification asks for, and hands on only what the SDK can digest:
//
//	lineReader  bytes to lines, bounded       (frame.go)
//	decode      a line to messages or faults  (decode.go)
//	ledger      what is read and not answered (ledger.go)
//	reply       a line of output, in pieces   (reply.go)
//	conn        the goroutines and the ending (conn.go)
//	Stdio       the door for the caller       (stdio.go)
package mcpserver
