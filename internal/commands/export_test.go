package commands

// SandboxList is how a plan is given to the sandbox.
var SandboxList = sandboxList

// LookProgram is where programs are found.
var LookProgram = lookProgram

// WritesGit tells whether a plan needs to write to the repository.
var WritesGit = writesGit
