// Package shell judges commands in yolo mode, where bash runs them as they are.
// Nothing here can be complete. The package follows the whole syntax tree,
// through functions, substitutions, nested shells and wrappers such as env or
// xargs, and refuses known disasters and whatever hides a command's name or a
// destructive target. These refusals catch accidents. The boundary is the
// approval of the exact command, and the sandbox.
//
//   - walk.go, control.go, pipe.go and redirects.go follow the tree; value.go
//     says what is known of a word, targets.go what may be written or removed.
//   - invocation.go takes a command apart, wrappers.go finds the one that a
//     wrapper starts, dispatch.go chooses the rule of its program.
//   - programs.go holds the tables of names; the other files one kind of
//     program each.
package shell
