// Package edits says which files a call of a client's own tool would change, as far
// as that can be known before it runs. It reads what the client tells its hooks, and
// looks at the file system only to follow links and to find repositories. It changes
// nothing and decides nothing.
//
//	call.go      a tool call of each client, and its Targets
//	patch.go     the patches of apply_patch, and those of diff
//	shell.go     a shell script, statement by statement
//	words.go     what the words of a script stand for
//	programs.go  which of a program's arguments it writes
//	git.go       the same for git
//	names.go     a target, as claims name files
package edits
