// Package faultytest is a small MCP server with faults that can be switched on. The
// tests of the harness start it as a process of its own: each fault must be found and
// named, and the server without any must have no finding.
//
// It writes JSON-RPC by hand, because an SDK would keep it from most of the faults. It
// speaks stdio and Streamable HTTP, with a handshake (initialize, to revision
// 2025-11-25) and without (server/discover, revision 2026-07-28).
package faultytest
