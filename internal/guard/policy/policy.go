// Package policy decides about a command: in safe and restricted mode by package
// table, in yolo mode by package shell.
//
// The types of a decision are in package guard, so that code which stores or runs a
// decided command does not import every rule.
package policy

import (
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/shell"
	"example.org/bridge/internal/guard/table"
	"example.org/bridge/internal/guard/verdict"
)

// Decide judges one command in one mode. It never panics, never runs anything and
// reads nothing but metadata (symbolic links, and folder listings for globs). If
// the parser or the policy itself fails, the command is refused.
func Decide(mode guard.Mode, command string, ctx guard.Context) (decision guard.Decision) {
	defer func() {
		if recover() != nil {
			decision = guard.Decision{
				Reason: "the policy could not check this command: write a simpler one",
				Rule:   string(verdict.PolicyFailed), Instead: verdict.PolicyFailed.Advice(),
			}
		}
	}()
	plan, err := decide(mode, command, ctx)
	if err != nil {
		refusal := verdict.AsRefusal(err)
		return guard.Decision{Reason: err.Error(), Rule: string(refusal.Rule), Instead: refusal.Instead}
	}
	return guard.Decision{Allow: true, Reason: "allowed: " + summary(plan), Plan: plan}
}

func decide(mode guard.Mode, command string, ctx guard.Context) (*guard.Plan, error) {
	if !mode.Valid() {
		return nil, verdict.Refuse(verdict.UnknownMode, "unknown mode: use safe, restricted or yolo")
	}
	if err := verdict.CheckText(mode, command); err != nil {
		return nil, err
	}
	roots := ctx.ReadRoots
	if roots == nil {
		roots = paths.DefaultReadRoots()
	}
	world, err := paths.NewWorld(ctx.FS, ctx.Workspace, ctx.Home, ctx.StateDirs, roots)
	if err != nil {
		return nil, verdict.Refuse(verdict.BadWorkspace, "%s", err)
	}
	if mode == guard.ModeYolo {
		argv, err := shell.Check(world, command)
		return &guard.Plan{Shell: argv}, err
	}
	list, err := table.Parse(command)
	if err != nil {
		return nil, err
	}
	steps, err := table.Judge(list, table.Scope{World: world, Mode: mode, LookPath: ctx.LookPath})
	return &guard.Plan{Steps: steps}, err
}

func summary(p *guard.Plan) string {
	if p.Shell != nil {
		return "no known disaster was found; bash runs it after the operator's approval"
	}
	return table.Summary(p.Steps)
}
