// Package shell judges commands in yolo mode, where bash runs them unchanged.
// The package walks the whole syntax tree, through functions, substitutions,
// nested shells and wrappers such as env or xargs. It refuses known disasters,
// and any command whose name or destructive target is not literal. Such a check
// cannot be complete: it catches accidents. The security boundary is the
// approval of the exact command, together with the sandbox.
//
//   - walk.go, control.go, pipe.go and redirects.go walk the tree; value.go
//     determines what a word may expand to, and targets.go decides what may be
//     written or removed.
//   - invocation.go splits a command into its parts, wrappers.go finds the
//     command that a wrapper starts, and dispatch.go selects the rule for its
//     program.
//   - programs.go contains the tables of names; each of the other files covers
//     one kind of program.
package shell
