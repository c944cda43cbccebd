// Package yolo decides which commands an agent may put before the operator,
// and says exactly what would run. It is the policy half of the command guard:
// it starts nothing, stores nothing and asks nobody.
//
// # What a decision means
//
// Allow means "on to the operator's approval and then into the sandbox". It
// never means "run this". A refusal is final and carries a reason that an agent
// can act on.
//
// # Safe and restricted mode
//
// No shell runs. A real shell parser reads the command, a small grammar is
// accepted (simple commands joined by | && || ;), and each program and each of
// its options must be in a table. The answer is a [Plan]: the argument lists the
// bridge built itself, how they are connected, and the few redirections that are
// allowed. Whatever a table does not know is refused, so a mistake in this
// package is most likely to refuse something harmless.
//
//   - grammar.go turns bytes into words, and refuses all expansion.
//   - options.go is the one reader of options. It follows getopt: clusters,
//     attached values, --long=value and "--". Abbreviations are unknown options.
//   - table_*.go hold the rows: command, option, kind of value, and why.
//   - paths.go and secrets.go hold where a path may lead.
//
// # Yolo mode
//
// The command runs in bash as it is, so nothing here can be complete. walk.go
// follows the whole syntax tree, through functions, substitutions, nested
// shells and wrappers such as env or xargs, and refuses known disasters and
// whatever hides a command name or a destructive target. These refusals catch
// accidents. The boundary is the approval of the exact command, and the sandbox.
//
// # What this package cannot stop
//
// A script, a package or a test that restricted mode may run is arbitrary code.
// The symbolic links inside a tree may change after the decision. A glob is
// expanded when the decision is made. All three are held by the sandbox, and a
// caller should decide again immediately before it runs a plan and compare the
// digests ([ApprovalRequest.Digest]).
package yolo
