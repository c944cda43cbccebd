// Package ui serves the operator's page: the content of the store, in a browser on this
// machine, updated as it changes.
//
// The server listens on the loopback interface only. Each request is first checked
// (door.go): the Host must be the server's own, the path must start with a random folder,
// the cookie must be the one set at login, and a request that changes something must come
// from the page itself. The login code is in a file that only the operator can read
// (link.go) and works once.
//
// Pages are rendered on the server by html/template, which escapes its values, from
// views that package view has cleaned. A short script fetches a page again when the
// store has changed (stream.go) and replaces what differs. Without the script the pages
// work but do not update themselves.
//
// The page is mostly read-only: it can deny a command, and pause and resume a conversation.
// Actions that need a person's confirmation, above all approving a command, are possible in
// a terminal only. docs/ui.md describes the page for operators.
package ui
