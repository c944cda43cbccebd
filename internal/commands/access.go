package commands

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/table"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/sandbox/egress"
)

// MaxTools is the maximum number of tool folders in a grant.
const MaxTools = 20

// Access lists what a grant makes available to commands in addition to the workspace
// and the system. The zero value adds nothing. It is covered by the grant's seal and by
// the digest of each approval.
type Access struct {
	// Tools are folders of programs. They are read-only and come first in PATH.
	Tools []Tool `json:"tools,omitempty"`
	// Domains are the domains that commands may reach through a proxy when the network
	// is off.
	Domains egress.Domains `json:"domains,omitempty"`
	// EnvFiles makes the workspace's .env files readable to commands.
	EnvFiles bool `json:"env_files,omitempty"`
}

// Tool is a folder of programs: its real path, and the identity of the folder at that
// path when the grant was made.
type Tool struct {
	Path   string           `json:"path"`
	Folder sandbox.Identity `json:"folder"`
}

// toolPaths returns the paths of the tool folders.
func (a Access) toolPaths() []string {
	dirs := make([]string, 0, len(a.Tools))
	for _, t := range a.Tools {
		dirs = append(dirs, t.Path)
	}
	return dirs
}

// bound returns the lines that represent a in an approval's digest.
func (a Access) bound() []string {
	var lines []string
	for _, t := range a.Tools {
		lines = append(lines, fmt.Sprintf("tools %d %d %s", t.Folder.Device, t.Folder.Inode, t.Path))
	}
	for _, d := range a.Domains {
		lines = append(lines, "domain "+d)
	}
	if a.EnvFiles {
		lines = append(lines, "env files")
	}
	return lines
}

// access resolves and checks the access that a grant requests.
func (s *Service) access(r GrantRequest, workspace string) (Access, error) {
	a := Access{EnvFiles: r.EnvFiles}
	if len(r.Tools) > MaxTools {
		return a, bridge.Invalid("tools", "there are %d folders, at most %d are allowed", len(r.Tools), MaxTools)
	}
	for _, dir := range r.Tools {
		path, folder, err := realFolder(dir)
		if err != nil {
			return a, bridge.Invalid("tools", "%s cannot be used: %v", cleantext.Escape(dir), err)
		}
		a.Tools = append(a.Tools, Tool{path, folder})
	}
	slices.SortFunc(a.Tools, func(x, y Tool) int { return strings.Compare(x.Path, y.Path) })
	a.Tools = slices.Compact(a.Tools)
	if err := s.checkTools(a, workspace); err != nil {
		return a, bridge.Invalid("tools", "%v", err)
	}
	var err error
	if a.Domains, err = egress.ParseDomains(r.Domains); err != nil {
		return a, bridge.Invalid("domain", "%v", err)
	}
	if len(a.Domains) > 0 && r.Network {
		return a, bridge.Invalid("domain", "cannot be combined with the network: leave out one of them")
	}
	return a, nil
}

// checkTools checks the tool folders against the policy and the sandbox. It is called
// when a grant is opened and again before each command.
func (s *Service) checkTools(a Access, workspace string) error {
	secrets := paths.NewSecrets(paths.Clean(s.config.Home), s.config.StateDirs)
	for _, t := range a.Tools {
		if secrets.Has(t.Path) || secrets.Below(t.Path) {
			return fmt.Errorf("the tool folder %s may contain secrets: name a folder that has only programs", cleantext.Escape(t.Path))
		}
		path, folder, err := realFolder(t.Path)
		if err != nil || path != t.Path || folder != t.Folder {
			return fmt.Errorf("the tool folder %s is not the folder that the operator named when opening the grant: open the grant again", cleantext.Escape(t.Path))
		}
	}
	return sandbox.CheckTools(a.toolPaths(), workspace, s.config.StateDirs)
}

// findProgram looks up programs as the sandbox does under this access. It ignores PATH
// from the environment, which an agent may have changed.
func (a Access) findProgram(name string) (string, error) {
	folders := make([]string, 0, len(a.Tools))
	for _, t := range a.Tools {
		folders = append(folders, paths.ProgramFolder(t.Path))
	}
	return guard.ToolPrograms(nil, folders, table.IsSafe)(name)
}

// environment returns the environment of commands under this access. The builtin env
// prints it.
func (a Access) environment() []string {
	env := paths.CommandEnvironment(paths.SearchPath(a.toolPaths()), paths.CommandHome)
	if len(a.Domains) > 0 {
		env = append(env, paths.ProxyEnvironment()...)
	}
	return env
}

// describe describes the access, one line per item, with names padded to the same
// width. The lines are safe to show.
func (a Access) describe(width int) []string {
	line := func(name, text string) string { return fmt.Sprintf("%-*s%s", width, name+":", text) }
	var lines []string
	for _, t := range a.Tools {
		lines = append(lines, line("Tools", cleantext.Escape(t.Path)+" (read only, first in PATH)"))
	}
	if a.EnvFiles {
		lines = append(lines, line("Secrets", "COMMANDS SEE the workspace's .env files"))
	}
	return lines
}

// networkLine describes which addresses commands may reach.
func networkLine(on bool, domains egress.Domains) string {
	switch {
	case on:
		return "NETWORK: ON"
	case len(domains) > 0:
		return "ONLY " + strings.Join(domains, ", ") + " (https, through the bridge's proxy)"
	}
	return "off"
}

// errDomains is the error for domains with any backend but bubblewrap. See
// sandbox.Options.Domains.
var errDomains = errors.New("a list of domains needs bubblewrap, which gives commands a network of their own")

// checkBackend returns an error if the sandbox cannot provide the access.
func (a Access) checkBackend(b sandbox.Backend) error {
	if len(a.Domains) > 0 && b != sandbox.Bubblewrap {
		return bridge.Invalid("domain", "cannot be used with %s: %v", backendName(b), errDomains)
	}
	return nil
}

// FindTools looks in a home folder and a workspace for folders of tools that commands
// usually need. It returns real paths, which can be used in a grant.
func FindTools(home, workspace string) []string {
	var found []string
	for _, place := range []struct{ root, pattern string }{
		{home, ".rustup/toolchains/*"},
		{home, ".cargo/bin"},
		{home, ".nvm/versions/node/*"},
		{home, ".local/share/pipx/venvs/*"},
		{home, ".local/share/uv/tools/*"},
		{home, ".local/share/uv/python/*"},
		{home, ".pyenv/versions/*"},
		{home, ".rbenv/versions/*"},
		{home, ".bun/bin"},
		{home, ".deno/bin"},
		{home, "go/bin"},
		{home, "sdk/go*"},
		{workspace, ".venv"},
		{workspace, "venv"},
	} {
		matches, _ := fs.Glob(os.DirFS(place.root), place.pattern) // the only possible error is a bad pattern
		for _, m := range matches {
			dir, _, err := realFolder(filepath.Join(place.root, filepath.FromSlash(m)))
			if err == nil && sandbox.CheckTools([]string{dir}, workspace, nil) == nil {
				found = append(found, dir)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
