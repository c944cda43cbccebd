package yolo

import (
	"errors"
	"fmt"
)

// PolicyVersion is part of every approval's digest. Raise it when a change makes
// the policy accept, or build, something that it did not before: approvals
// given under the old policy then no longer hold.
const PolicyVersion = 1

// Mode is how much a conversation may ask for.
type Mode string

// The three modes, from the narrowest to the widest.
const (
	ModeSafe       Mode = "safe"
	ModeRestricted Mode = "restricted"
	ModeYolo       Mode = "yolo"
)

// rank orders the modes, so that the operator's grant can be a ceiling.
func (m Mode) rank() int {
	switch m {
	case ModeSafe:
		return 1
	case ModeRestricted:
		return 2
	case ModeYolo:
		return 3
	}
	return 0
}

// Valid reports whether m is one of the three modes.
func (m Mode) Valid() bool { return m.rank() > 0 }

// Within reports whether m asks for no more than ceiling. An unknown mode on
// either side is not within anything.
func (m Mode) Within(ceiling Mode) bool {
	return m.Valid() && ceiling.Valid() && m.rank() <= ceiling.rank()
}

// Limits of a command. Over a limit is a refusal, never a question.
const (
	maxBytesNoShell = 8 << 10
	maxBytesYolo    = 64 << 10
	maxCommands     = 32
	maxNesting      = 4
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
	// DefaultReadRoots; an empty slice means none.
	ReadRoots []string
	// LookPath gives the absolute path of a program. Nil leaves Stage.Path empty,
	// which is enough to explain a decision and not enough to run it.
	LookPath func(name string) (string, error)
	// FS is the file system that symbolic links and globs are resolved on. Nil
	// means the machine's.
	FS FS
}

// Decision is the answer to one command.
type Decision struct {
	// Allow means: on to approval and sandbox.
	Allow bool
	// Reason says why, in words for the agent that asked. It echoes at most a
	// short part of the command.
	Reason string
	// Plan is what would run. It is nil unless Allow is true.
	Plan *Plan
}

// Decide judges one command in one mode. It never panics, never runs anything
// and touches nothing but metadata (symbolic links, folder listings for globs).
// Should the parser or the policy itself fail, the command is refused.
func Decide(mode Mode, command string, ctx Context) (decision Decision) {
	defer func() {
		if recover() != nil {
			decision = Decision{Reason: "the policy could not judge this command: write it more simply"}
		}
	}()
	return judgement(mode, command, ctx)
}

func judgement(mode Mode, command string, ctx Context) Decision {
	plan, err := decide(mode, command, ctx)
	if err != nil {
		return Decision{Reason: err.Error()}
	}
	return Decision{Allow: true, Reason: plan.summary(), Plan: plan}
}

func decide(mode Mode, command string, ctx Context) (*Plan, error) {
	if !mode.Valid() {
		return nil, errors.New("unknown mode: use safe, restricted or yolo")
	}
	if err := checkText(mode, command); err != nil {
		return nil, err
	}
	guard, err := newGuard(mode, ctx)
	if err != nil {
		return nil, err
	}
	if mode == ModeYolo {
		return guard.planYolo(command)
	}
	return guard.planNoShell(command)
}

// guard is one decision's view of the world: the mode, and the roots resolved.
type guard struct {
	mode      Mode
	fs        FS
	workspace root
	home      string
	readRoots []root
	secrets   secretSet
	lookPath  func(string) (string, error)
}

func newGuard(mode Mode, ctx Context) (*guard, error) {
	fsys := ctx.FS
	if fsys == nil {
		fsys = machineFS{}
	}
	if !isAbs(ctx.Workspace) || !isAbs(ctx.Home) {
		return nil, errors.New("the workspace and the home folder must be absolute paths")
	}
	roots := ctx.ReadRoots
	if roots == nil {
		roots = DefaultReadRoots()
	}
	g := &guard{mode: mode, fs: fsys, home: cleanPath(ctx.Home), lookPath: ctx.LookPath}
	var err error
	if g.workspace, err = newRoot(fsys, ctx.Workspace); err != nil {
		return nil, fmt.Errorf("the workspace cannot be resolved: %w", err)
	}
	for _, dir := range roots {
		if !isAbs(dir) {
			return nil, errors.New("every read root must be an absolute path")
		}
		r, err := newRoot(fsys, dir)
		if err != nil {
			continue // a root that cannot be resolved is no root
		}
		g.readRoots = append(g.readRoots, r)
	}
	g.secrets = newSecretSet(g.home, ctx.StateDirs)
	return g, g.checkWorkspace()
}

// checkWorkspace refuses a workspace that would hand over more than a project.
func (g *guard) checkWorkspace() error {
	for _, ws := range []string{g.workspace.lexical, g.workspace.physical} {
		switch {
		case ws == "/" || ws == g.home || within(g.home, ws):
			return errors.New("the workspace is the home folder or one of its parents: choose a project folder")
		case g.secrets.has(ws) || g.secrets.below(ws):
			return errors.New("the workspace holds secrets or the bridge's own state: choose a project folder")
		}
	}
	return nil
}
