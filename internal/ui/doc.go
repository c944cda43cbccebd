// Package ui is the operator's page: what the store holds, in a browser on this
// machine, as it changes.
//
// The server listens on the loopback interface only. Every request passes one door
// (door.go) before anything is looked up: the Host must be the server's own, the path
// must begin with a random folder, the cookie must be the one that the login gave, and
// what changes something must come from the page itself. The login's code is in a file
// that only the operator can read (link.go) and works once.
//
// Pages are rendered on the server, from views that package view has cleaned, by
// html/template, which escapes them. A script of a few lines fetches a page again when
// the store has changed (stream.go), and puts in place what is different. Without it the
// pages work, and stand still.
//
// The page reads; it refuses a command, and pauses and resumes a conversation. What needs
// a human's confirmation, above all approving a command, stays at a terminal.
package ui
