// Package guard decides which commands an agent may put before the operator,
// and says exactly what would run. It is the policy half of the command guard:
// it starts no program, stores nothing and asks for no approval.
//
// # What a decision means
//
// An allowed command may be put before the operator for approval, and then runs
// in the sandbox. A refusal is final, and comes with a reason that an agent can
// act on.
//
// # The packages
//
// Package policy makes the decisions: it calls package table in safe and
// restricted mode, and package shell in yolo mode. This package has the types of
// a request and a decision. Package paths decides which paths may be read or
// written; the sandbox uses it too. Package verdict has the parts of a decision.
//
// # What this package cannot prevent
//
// A script, a package or a test that restricted mode may run is arbitrary code.
// The symbolic links inside a tree may change after the decision. A glob is
// expanded when the decision is made. The sandbox confines all three; a caller
// should also decide again immediately before it runs a plan, and compare the
// digests ([ApprovalRequest.Digest]).
package guard
