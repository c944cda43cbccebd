package table

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

type gitNamedOverride struct{ section, key, value, why string }

// gitNamedOverrides are the settings that run a program and whose name contains a
// part chosen by the repository's configuration. SECTION.<name>.key is overridden
// with value.
var gitNamedOverrides = []gitNamedOverride{
	{"filter", "clean", "", "runs on add, status and diff"},
	{"filter", "smudge", "", "runs on checkout and pull"},
	{"filter", "process", "", "runs instead of both"},
	{"filter", "required", "false", "makes a missing filter no error; set for every filter"},
	{"diff", "command", "", "runs instead of diff"},
	{"diff", "textconv", "", "runs before diff and blame"},
	{"merge", "driver", "false", "runs on pull; false leaves a conflict"},
	{"remote", "uploadpack", "git-upload-pack", "runs on fetch from a local or ssh remote"},
	{"remote", "receivepack", "git-receive-pack", "runs on push to a local or ssh remote"},
	{"remote", "vcs", "", "chooses a helper program"},
	{"remote", "mirror", "false", "would make every push delete"},
	{"remote", "proxy", "", "sends the traffic elsewhere"},
	{"credential", "helper", "", "gives passwords"},
	{"trailer", "command", "", "runs when trailers are added"},
	{"trailer", "cmd", "", "runs when trailers are added"},
	{"gpg", "program", "/bin/false", "runs as gpg"},
	{"submodule", "update", "none", "may be a command"},
	{"pager", "", "false", "pager.NAME is a command"},
	{"hook", "command", "true", "runs around commits, checkouts and pushes"},
	{"branch", "mergeOptions", "", "options of merge that were not approved"},
}

// GitOverrides returns the additional "-c name=value" words for a repository whose
// configuration has the given keys. The caller lists the keys of the effective
// configuration, which runs no program of the repository's:
//
//	git config --list --name-only -z --includes
//
// and passes the result to [AddGitOverrides] immediately before the plan runs. A
// key that cannot be overridden on a command line (its name contains = or a
// newline, or it sets another work tree) is an error, and the plan must not run.
func GitOverrides(keys []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for _, key := range keys {
		if strings.EqualFold(key, "core.worktree") {
			return nil, verdict.Refuse(verdict.GitSetting, "the repository's configuration moves its work tree elsewhere: correct .git/config")
		}
		section, rest, _ := strings.Cut(key, ".")
		name, last := "", rest
		if at := strings.LastIndexByte(rest, '.'); at >= 0 {
			name, last = rest[:at], rest[at+1:]
		}
		for _, o := range gitNamedOverrides {
			if !strings.EqualFold(section, o.section) {
				continue
			}
			full, applies := o.full(section, name, last)
			if !applies || seen[full] {
				continue
			}
			if strings.ContainsAny(full, "=\n") {
				return nil, verdict.Refuse(verdict.GitSetting, "the repository's configuration names a %s that cannot be switched off: correct .git/config", o.section)
			}
			seen[full] = true
			out = append(out, "-c", full+"="+o.value)
		}
	}
	return out, nil
}

// full returns the setting to write for a configured name.
func (o gitNamedOverride) full(section, name, last string) (string, bool) {
	if o.key == "" { // the command is the value of section.NAME itself
		return section + "." + last, name == ""
	}
	return section + "." + name + "." + o.key, name != "" && (strings.EqualFold(last, o.key) || o.key == "required")
}

// AddGitOverrides inserts words from [GitOverrides] into a git stage, before the
// subcommand. Other stages are returned unchanged.
func AddGitOverrides(s verdict.Stage, words []string) verdict.Stage {
	if len(s.Argv) < 2 || s.Argv[0] != "git" || s.Argv[1] != "--no-pager" || len(words) == 0 {
		return s
	}
	s.Argv = slices.Concat(s.Argv[:2], words, s.Argv[2:])
	return s
}
