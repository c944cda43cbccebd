package table

import (
	"strings"
	"testing"
)

// TestRows looks for mistakes in the tables: a row without a reason, an option
// in two rows of one table, a custom row without a check.
func TestRows(t *testing.T) {
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
	for name, rows := range lists {
		seen := map[string]bool{}
		for _, r := range rows {
			if r.why == "" {
				t.Errorf("%s: a row has no reason: %s", name, r.names)
			}
			if (r.value == custom) != (r.check != nil) {
				t.Errorf("%s: a custom row and its check go together: %s", name, r.names)
			}
			for _, option := range strings.Fields(r.names) {
				if seen[option] {
					t.Errorf("%s: %s stands in two rows", name, option)
				}
				seen[option] = true
			}
		}
	}
}
