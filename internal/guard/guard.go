package guard

import (
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// PolicyVersion is part of every approval's digest. Raise it when a change makes
// the policy accept or build something that it did not before: approvals given
// under the previous policy then become invalid.
const PolicyVersion = 5

// Mode says which kinds of commands a conversation may request.
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
	// Content is a script that a plan runs by name.
	Content = verdict.Content
	// Step is one pipeline of a plan.
	Step = verdict.Step
	// Stage is one program of a pipeline.
	Stage = verdict.Stage
	// Redirect is a redirection of a stage.
	Redirect = verdict.Redirect
	// When is the condition on which a step runs.
	When = verdict.When
)

// The three connectors of a plan's steps.
const (
	Always    = verdict.Always
	OnSuccess = verdict.OnSuccess
	OnFailure = verdict.OnFailure
)

// Context describes the machine and the folders for which a command is judged.
// The zero value of every optional field is the strictest choice.
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
	// LookPath returns the absolute path of a program. If it is nil, Stage.Path
	// stays empty: such a plan explains a decision but cannot be run.
	LookPath func(name string) (string, error)
	// FS is the file system that symbolic links and globs are resolved on. Nil
	// means the machine's.
	FS paths.FS
}

// Decision is the policy's answer for one command.
type Decision struct {
	// Allow means that the command may be put before the operator for approval
	// and then run in the sandbox.
	Allow bool
	// Reason explains the decision to the agent that sent the command. It quotes
	// at most a short part of the command.
	Reason string
	// Rule is the stable short name of the rule that refused the command, and
	// Instead says what to write instead. Both are empty if Allow is true.
	Rule, Instead string
	// Plan is what would run. It is nil unless Allow is true.
	Plan *Plan
}
