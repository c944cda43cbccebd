// Package edits determines which files a call of a client's own tool would change,
// as far as that can be known before it runs. Its input is what the client passes to
// its hooks; it reads the file system only to follow links and to find repositories.
// It changes nothing and decides nothing.
//
//	call.go      a tool call of each client, and its Targets
//	patch.go     the patches of apply_patch and of diff
//	shell.go     a shell script, statement by statement
//	words.go     the expansion of the words of a script
//	programs.go  which of its arguments a program writes
//	git.go       the same for git
//	names.go     the names that claims use for a target
package edits
