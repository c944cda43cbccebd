package yolo

import "strings"

// Word is one argument of the small grammar, for tests of the parser.
type Word struct {
	Text string
	Glob bool
}

// Command is one simple command and its redirections.
type Command struct {
	When      When
	First     bool // it starts a step
	Words     []Word
	Redirects []Redirect
}

// ParseList reads a command in the small grammar, without any table.
func ParseList(text string) ([]Command, error) {
	if err := checkText(ModeSafe, text); err != nil {
		return nil, err
	}
	list, err := parseList(text)
	if err != nil {
		return nil, err
	}
	var out []Command
	for _, step := range list.steps {
		for i, c := range step.stages {
			cmd := Command{When: step.when, First: i == 0, Redirects: c.redirects}
			for _, w := range c.words {
				cmd.Words = append(cmd.Words, Word{Text: w.text, Glob: w.isGlob()})
			}
			out = append(out, cmd)
		}
	}
	return out, nil
}

// CommandMode is the narrowest mode that has a program.
func CommandMode(name string) Mode { return commands[name].mode }

// TableProblems looks for mistakes in the tables: a row without a reason, an
// option in two rows of one table, a custom row without a check.
func TableProblems() []string {
	lists := map[string][]row{
		"cat": catRows, "head": headRows, "wc": wcRows, "ls": lsRows, "grep": grepRows, "date": dateRows, "file": fileRows,
		"df": dfRows, "du": duRows, "tree": treeRows, "stat": statRows, "diff": diffRows, "free": freeRows, "find": findRows, "ps": psRows,
		"git log":    join(gitDiffRows, gitLogRows, gitWalkRows),
		"git diff":   join(gitDiffRows, gitOnlyDiffRows),
		"git status": gitStatusRows, "git branch": gitBranchRows, "git add": gitAddRows, "git commit": gitCommitRows,
		"git push": gitPushRows, "git pull": gitPullRows, "git checkout": gitCheckoutRows, "git blame": gitBlameRows,
		"npm": join(npmCommonRows, npmInstallRows), "pip install": join(pipCommonRows, pipInstallRows), "pip list": join(pipCommonRows, pipListRows),
		"pip show": join(pipCommonRows, pipShowRows), "python": pythonRows, "unittest": unittestRows, "node": nodeRows, "pytest": pytestRows,
		"cargo": join(cargoRows, cargoTestRows),
	}
	var out []string
	for name, rows := range lists {
		seen := map[string]bool{}
		for _, r := range rows {
			if r.why == "" {
				out = append(out, name+": a row has no reason: "+r.names)
			}
			if (r.value == custom) != (r.check != nil) {
				out = append(out, name+": a custom row and its check go together: "+r.names)
			}
			for _, option := range strings.Fields(r.names) {
				if seen[option] {
					out = append(out, name+": "+option+" stands in two rows")
				}
				seen[option] = true
			}
		}
	}
	return out
}

// DecideBare is Decide without its safety net, so that fuzzing sees panics.
func DecideBare(mode Mode, command string, ctx Context) Decision {
	return judgement(mode, command, ctx)
}
