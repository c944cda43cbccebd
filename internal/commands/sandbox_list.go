package commands

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/table"
	"example.org/bridge/internal/sandbox"
)

var operators = map[guard.When]sandbox.Op{
	guard.Always:    sandbox.Always,
	guard.OnSuccess: sandbox.And,
	guard.OnFailure: sandbox.Or,
}

var redirects = map[guard.Redirect]sandbox.Redirect{
	{FD: 1, Null: true}: sandbox.StdoutToNull,
	{FD: 2, Null: true}: sandbox.StderrToNull,
	{FD: 2, To: 1}:      sandbox.StderrToStdout,
	{FD: 1, To: 2}:      sandbox.StdoutToStderr,
}

// sandboxList converts a plan into the sandbox's representation: argument lists, and
// how they are connected. It does not parse any text again.
func sandboxList(p guard.Plan, workspace string, a Access, overrides []string) (sandbox.List, error) {
	if p.Shell != nil {
		return sandbox.Program(p.Shell[0], p.Shell[1:]...), nil
	}
	list := make(sandbox.List, 0, len(p.Steps))
	for _, step := range p.Steps {
		op, ok := operators[step.When]
		if !ok {
			return nil, refused("the plan has an unknown connector")
		}
		line := sandbox.Pipeline{Op: op}
		for _, stage := range step.Stages {
			converted, err := sandboxStage(table.AddGitOverrides(stage, overrides), workspace, a)
			if err != nil {
				return nil, err
			}
			line.Stages = append(line.Stages, converted)
		}
		list = append(list, line)
	}
	return list, nil
}

// envArguments returns the arguments with which env changes the folder, sets the
// variables that were assigned before the command, and then executes the command.
func envArguments(stage guard.Stage) []string {
	args := []string{"env"}
	if stage.Dir != "" {
		args = append(args, "--chdir="+stage.Dir)
	}
	args = append(args, stage.Env...)
	return append(append(args, stage.Path), stage.Argv[1:]...)
}

func sandboxStage(stage guard.Stage, workspace string, a Access) (sandbox.Stage, error) {
	var converted sandbox.Stage
	switch {
	case stage.Builtin:
		converted.Print = true
		converted.Text, converted.Status = table.RunBuiltin(stage, workspace, a.environment(), a.findProgram)
	case stage.Path == "":
		return converted, refused("the program %s was not found", stage.Argv[0])
	case (stage.Dir != "" || len(stage.Env) > 0) && strings.Contains(stage.Path, "="):
		return converted, refused("the path of %s has an equals sign: leave out cd and the assignments", stage.Argv[0])
	case stage.Dir != "" || len(stage.Env) > 0:
		env, err := a.findProgram("env")
		if err != nil {
			return converted, refused("the program env was not found: leave out cd and the assignments")
		}
		converted.Path, converted.Args = env, envArguments(stage)
	default:
		converted.Path, converted.Args = stage.Path, stage.Argv
	}
	for _, r := range stage.Redirects {
		known, ok := redirects[r]
		if !ok {
			return converted, fmt.Errorf("the plan redirects %d to %d, which has no name", r.FD, r.To)
		}
		converted.Redirects = append(converted.Redirects, known)
	}
	return converted, nil
}
