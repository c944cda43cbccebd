// Package guard decides which commands an agent may put before the operator,
// and says exactly what would run. It is the policy half of the command guard:
// it starts nothing, stores nothing and asks nobody.
//
// # What a decision means
//
// Allow means "on to the operator's approval and then into the sandbox". It
// never means "run this". A refusal is final and carries a reason that an agent
// can act on.
//
// # Its rooms
//
// Package policy decides: it asks package table in safe and restricted mode, package
// shell in yolo mode. This package has the words for it.
// Package paths holds where a path may lead, for the sandbox too. Package
// verdict holds what a decision is made of.
//
// # What this package cannot stop
//
// A script, a package or a test that restricted mode may run is arbitrary code.
// The symbolic links inside a tree may change after the decision. A glob is
// expanded when the decision is made. All three are held by the sandbox, and a
// caller should decide again immediately before it runs a plan and compare the
// digests ([ApprovalRequest.Digest]).
package guard
