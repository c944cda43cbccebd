// Package edits determines which files a call of a client's own tool would change,
// as far as that can be known before it runs. Its input is what the client passes to
// its hooks; it reads the file system only to follow links and to find repositories.
// It changes nothing and decides nothing.
//
// \tcall.go a tool call of each client, and its Targets
// \tpatch.go the patches of apply_patch and of diff
// \tshell.go a shell script, statement by statement
// \twords.go the expansion of the words of a script
// \tprograms.go which of its arguments a program writes
// \tgit.go the same for git
// \tnames.go the names that claims use for a target
package edits
