package commands

// SandboxList is how a plan is given to the sandbox.
var SandboxList = sandboxList

// LookProgram is where programs are found.
var FindProgram = Access{}.findProgram

// WritesGit tells whether a plan needs to write to the repository.
var WritesGit = writesGit

// PrintsAddresses reports whether a plan may print the addresses of remotes.
var PrintsAddresses = printsAddresses

// Contents are what an approval of a plan is bound to.
var Contents = contents

// ChangedSince compares them with earlier ones.
var ChangedSince = changedSince
