// Package faultytest is a small MCP server whose faults can be enabled individually. The
// tests of the harness start it as a separate process: each fault must be found and named,
// and the server without faults must have no findings.
//
// It writes JSON-RPC directly, because an SDK would prevent most of the faults. It supports
// stdio and Streamable HTTP, with a handshake (initialize, up to revision 2025-11-25) and
// without (server/discover, revision 2026-07-28).
package faultytest
