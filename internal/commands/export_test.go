package commands

// SandboxList converts a plan into what the sandbox runs.
var SandboxList = sandboxList

// FindProgram returns the path of a program.
var FindProgram = Access{}.findProgram

// WritesGit reports whether a plan needs to write to the repository.
var WritesGit = writesGit

// PrintsAddresses reports whether a plan may print the addresses of remotes.
var PrintsAddresses = printsAddresses

// Contents returns the files that an approval of a plan is bound to.
var Contents = contents

// ChangedSince compares contents with earlier ones.
var ChangedSince = changedSince
