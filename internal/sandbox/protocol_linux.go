package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"example.org/bridge/internal/guard/paths"
)

// helperName is the hidden first argument with which the program executes itself.
const helperName = "__sandbox-exec"

// The helper's roles, its second argument.
const (
	roleSupervise = "supervise"
	roleInit      = "init"
	roleContainer = "container" // an init that reads its specification from standard input
	roleHold      = "hold"
)

// protocolVersion lets a helper detect that the program on disk was replaced.
const protocolVersion = 5

// Descriptors of the supervisor and of the init, after the standard three.
const (
	controlFD = 3 // the specification is read from it; its end means stop
	reportFD  = 4 // the outcome is written to it
	lockFD    = 5 // supervisor only: holds the workspace's lock
	linkedFD  = 6 // supervisor only, in a linked worktree: holds the repository's lock
	proxyFD   = 5 // init only, with domains: the proxy's listener is sent over it
)

// spec is what the server passes to the supervisor, and the supervisor to the
// init.
type spec struct {
	Version   int       `json:"version"`
	Backend   Backend   `json:"backend"`
	List      List      `json:"list"`
	Workspace string    `json:"workspace"`
	Identity  *Identity `json:"identity,omitempty"`
	Writable  bool      `json:"writable"`
	Network   bool      `json:"network"`
	GitWrite  bool      `json:"gitWrite"`
	EnvFiles  bool      `json:"envFiles"`
	// Linked is the repository of a linked worktree, which is visible to the
	// command.
	Linked    *LinkedRepository `json:"linked,omitempty"`
	Tools     []string          `json:"tools,omitempty"`
	Domains   []string          `json:"domains,omitempty"`
	Timeout   time.Duration     `json:"timeout"`
	Hidden    []string          `json:"hidden"`
	ReadRoots []string          `json:"readRoots"`
	Path      string            `json:"path"`
	Memory    int64             `json:"memory"`
	Growth    int64             `json:"growth"`
	PIDs      int               `json:"pids"`

	// Tool is the backend's program: bwrap, docker or podman.
	Tool  string `json:"tool,omitempty"`
	Image string `json:"image,omitempty"`
	// Exe is the path of this program on the host.
	Exe string `json:"exe"`
	// ToolEnv is the environment of the container client. None of it reaches the
	// container.
	ToolEnv []string `json:"toolEnv,omitempty"`

	// UserHome is the user's home folder outside the box, which "~" stands for in
	// a repository's configuration. It is not shown to the command.
	UserHome string `json:"userHome,omitempty"`

	// Seen is [Options.Seen] in binary form. Only the supervisor uses it.
	Seen []byte `json:"seen,omitempty"`

	// The supervisor fills in the following fields for the init.

	// User is the user that the box runs as. Nil means the supervisor's own user.
	User *userID `json:"user,omitempty"`
	// Home is the private folder that replaces /tmp in a box without a private
	// /tmp.
	Home string `json:"home,omitempty"`
	// Tasks is the limit for the user's processes and threads.
	Tasks uint64 `json:"tasks"`
	// Shield are the paths in the workspace that are mounted again.
	Shield []shieldMount `json:"shield,omitempty"`
}

type userID struct {
	UID uint32 `json:"uid"`
	GID uint32 `json:"gid"`
}

// outcome is the report of the init (the command's status) or of the supervisor
// (how the box ended).
type outcome struct {
	// Setup says why the command was not started.
	Setup    string `json:"setup,omitempty"`
	Started  bool   `json:"started"`
	Done     bool   `json:"done"`
	ExitCode int    `json:"exitCode"`
	Signal   string `json:"signal,omitempty"`
	TimedOut bool   `json:"timedOut,omitempty"`
	Exceeded string `json:"exceeded,omitempty"`
	// Contacted is [Result.Contacted].
	Contacted []string `json:"contacted,omitempty"`
	// Held is [Result.Held].
	Held []string `json:"held,omitempty"`
}

// environment returns the command's whole environment.
func (s spec) environment() []string {
	home := paths.CommandHome
	if s.Home != "" {
		home = s.Home
	}
	env := paths.CommandEnvironment(s.Path, home)
	if len(s.Domains) > 0 {
		env = append(env, paths.ProxyEnvironment()...)
	}
	return env
}

func writeJSON(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// readSpec reads exactly one line, because the pipe stays open after it.
func readSpec(r io.Reader) (spec, error) {
	var s spec
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil {
		return s, fmt.Errorf("reading the specification: %w", err)
	}
	if err := json.Unmarshal(line, &s); err != nil {
		return s, fmt.Errorf("reading the specification: %w", err)
	}
	if s.Version != protocolVersion {
		return s, errors.New("the program was replaced while it ran; restart it")
	}
	return s, nil
}
