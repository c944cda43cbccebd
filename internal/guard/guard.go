package guard

import (
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// PolicyVersion is part of every approval's digest. Raise it when a change makes
// the policy accept, or build, something that it did not before: approvals
// given under the old policy then no longer hold.
const PolicyVersion = 5

// Mode is how much a conversation may ask for.
type Mode = verdict.Mode

// The three modes, from the narrowest to the widest.
const (
	ModeSafe       = verdict.ModeSafe
	ModeRestricted = verdict.ModeRestricted
	ModeYolo       = verdict.ModeYolo
)

type (
	// Plan is exactly what would run.
	Plan = verdict.Plan
	// Content is a file that a plan runs by name.
	Content = verdict.Content
	// Step is one pipeline of a plan.
	Step = verdict.Step
	// Stage is one program of a pipeline.
	Stage = verdict.Stage
	// Redirect is a redirection of a stage.
	Redirect = verdict.Redirect
	// When says on what condition a step runs.
	When = verdict.When
)

// The three connectors of a plan's steps.
const (
	Always    = verdict.Always
	OnSuccess = verdict.OnSuccess
	OnFailure = verdict.OnFailure
)

// Context is the world that a command is judged in. The zero value of every
// optional field is the strict choice.
type Context struct {
	// Workspace is the absolute folder that the command runs in.
	Workspace string
	// Home is the operator's absolute home folder. Its secrets are refused.
	Home string
	// StateDirs are the bridge's own folders (store, key, configuration). They
	// may be neither read nor written.
	StateDirs []string
	// ReadRoots are folders outside the workspace that may be read. Nil means
	// paths.DefaultReadRoots; an empty slice means none.
	ReadRoots []string
	// LookPath gives the absolute path of a program. Nil leaves Stage.Path empty,
	// which is enough to explain a decision and not enough to run it.
	LookPath func(name string) (string, error)
	// FS is the file system that symbolic links and globs are resolved on. Nil
	// means the machine's.
	FS paths.FS
}

// Decision is the answer to one command.
type Decision struct {
	// Allow means: on to approval and sandbox.
	Allow bool
	// Reason says why, in words for the agent that asked. It echoes at most a
	// short part of the command.
	Reason string
	// Rule is the stable short name of the rule that refuses, and Instead what
	// to write instead. Both are empty where Allow is true.
	Rule, Instead string
	// Plan is what would run. It is nil unless Allow is true.
	Plan *Plan
}
