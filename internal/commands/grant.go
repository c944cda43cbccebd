package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// Limits of grants.
const (
	DefaultGrantTTL = time.Hour
	MinGrantTTL     = time.Minute
	MaxGrantTTL     = 24 * time.Hour

	DefaultCommandTimeout = 30 * time.Second
	MinCommandTimeout     = time.Second
	MaxCommandTimeout     = 10 * time.Minute
	// MaxWorkspaceLength is in characters.
	MaxWorkspaceLength = 1000
)

// Mode limits what commands may do.
type Mode = guard.Mode

// Modes lists the modes, the most restrictive first.
func Modes() []Mode { return []Mode{guard.ModeSafe, guard.ModeRestricted, guard.ModeYolo} }

// Grant is what an operator opened for a conversation. It is the most that its sessions
// may ask for; each command still needs an approval.
type Grant struct {
	Conversation string
	// Ceiling is the widest mode.
	Ceiling guard.Mode
	// Workspace is the folder's real path; Folder identifies the folder that was at
	// that path.
	Workspace string
	Folder    sandbox.Identity
	// Sandbox is the backend to use, sandbox.None for no confinement, or empty for the
	// first backend that works.
	Sandbox sandbox.Backend
	// Image is the image for container backends.
	Image   string
	Network bool
	// Access is what commands get in addition to the workspace.
	Access Access `json:",omitzero"`
	// AskInClient lets the agent's client ask its human to decide about a request.
	AskInClient bool
	OpenedAt    time.Time
	ExpiresAt   time.Time
	// Seal proves that the grant was opened by the operator's side.
	Seal []byte
}

// Unsandboxed reports whether commands run without confinement.
func (g Grant) Unsandboxed() bool { return g.Sandbox == sandbox.None }

// GrantRequest holds the parameters of a grant.
type GrantRequest struct {
	Conversation string
	Mode         guard.Mode
	Workspace    string
	// TTL is how long the grant lasts; zero means DefaultGrantTTL.
	TTL         time.Duration
	Sandbox     sandbox.Backend
	Image       string
	Network     bool
	AskInClient bool
	// Tools, Domains and EnvFiles are as in Access. Paths need not be real paths.
	Tools, Domains []string
	EnvFiles       bool
}

// PrepareGrant makes a grant and checks that commands could run under it. The grant
// takes effect only with OpenGrant.
func (s *Service) PrepareGrant(ctx context.Context, r GrantRequest) (Grant, error) {
	c, err := s.core.Conversation(ctx, r.Conversation)
	if err != nil {
		return Grant{}, err
	}
	now, err := s.core.StoreTime(ctx)
	if err != nil {
		return Grant{}, err
	}
	if c.Expired(now) {
		return Grant{}, fmt.Errorf("%w: it has expired", bridge.ErrNotFound)
	}
	if err := r.validate(); err != nil {
		return Grant{}, err
	}
	workspace, folder, err := realFolder(r.Workspace)
	if err != nil {
		return Grant{}, bridge.Invalid("workspace", "cannot be used: %v", err)
	}
	g := Grant{
		Conversation: r.Conversation, Ceiling: r.Mode, Workspace: workspace, Folder: folder,
		Sandbox: r.Sandbox, Image: r.Image, Network: r.Network, AskInClient: r.AskInClient,
		OpenedAt: now, ExpiresAt: bridge.Earlier(now.Add(r.ttl()), c.ExpiresAt),
	}
	if err := s.checkWorkspace(workspace); err != nil {
		return Grant{}, err
	}
	if g.Access, err = s.access(r, workspace); err != nil {
		return Grant{}, err
	}
	if err := s.tryGrant(ctx, g); err != nil {
		return Grant{}, err
	}
	g.Seal = s.sealGrant(g)
	return g, nil
}

// tryGrant checks that commands can be run under the grant before a human is asked to
// open it.
func (s *Service) tryGrant(ctx context.Context, g Grant) error {
	backend, err := s.backend(ctx, g)
	if err != nil {
		return err
	}
	if err := g.Access.checkBackend(backend); err != nil {
		return err
	}
	err = s.config.Try(ctx, s.sandboxOptions(Request{
		Workspace: g.Workspace, Folder: g.Folder, Mode: g.Ceiling, Sandbox: backend, Image: g.Image,
		Network: g.Network, Access: g.Access, Timeout: DefaultCommandTimeout,
	}))
	if errors.Is(err, sandbox.ErrWorkspace) {
		return bridge.Invalid("workspace", "cannot be used: %v", err)
	}
	return err
}

func (r GrantRequest) ttl() time.Duration {
	if r.TTL == 0 {
		return DefaultGrantTTL
	}
	return r.TTL
}

func (r GrantRequest) validate() error {
	backends := []sandbox.Backend{"", sandbox.Bubblewrap, sandbox.Landlock, sandbox.Docker, sandbox.Podman, sandbox.None}
	container := r.Sandbox == sandbox.Docker || r.Sandbox == sandbox.Podman
	switch {
	case !r.Mode.Valid():
		return bridge.Invalid("mode", "must be one of %s", bridge.JoinWords(Modes()))
	case r.ttl() < MinGrantTTL || r.ttl() > MaxGrantTTL:
		return bridge.Invalid("the grant's time", "must be %s to %s", MinGrantTTL, MaxGrantTTL)
	case !slices.Contains(backends, r.Sandbox):
		return bridge.Invalid("sandbox", "must be one of %s", strings.TrimPrefix(bridge.JoinWords(backends), ", "))
	case container != (r.Image != ""):
		return bridge.Invalid("image", "is required for the sandboxes docker and podman, and not allowed for others")
	}
	return nil
}

// OpenGrant opens a grant made by PrepareGrant. It replaces an earlier grant of the
// conversation and cancels everything that was requested or approved under that one.
func (s *Service) OpenGrant(ctx context.Context, g Grant) error {
	op := s.core.OperatorOperation("yolo_enable", g.Conversation)
	g.describe(op.Details)
	return s.store.OpenGrant(ctx, op, g)
}

func (g Grant) describe(d bridge.Details) {
	d["mode"], d["workspace"] = string(g.Ceiling), g.Workspace
	d["sandbox"], d["network"] = backendName(g.Sandbox), g.Network
	if more := g.Access.bound(); len(more) > 0 {
		d["access"] = strings.Join(more, "; ")
	}
	d["ask_in_client"], d["expires_at"] = g.AskInClient, g.ExpiresAt.Format(time.RFC3339)
}

// backendName returns the name of a backend as people and agents see it.
func backendName(b sandbox.Backend) string {
	switch b {
	case "":
		return "automatic"
	case sandbox.None:
		return "UNSANDBOXED"
	}
	return string(b)
}

// CloseGrant closes a conversation's grant, so that no more commands run. The error may
// be ErrNoGrant.
func (s *Service) CloseGrant(ctx context.Context, conversation string) error {
	return s.store.CloseGrant(ctx, s.core.OperatorOperation("yolo_disable", conversation))
}

// Grants returns all grants, newest first, including expired ones.
func (s *Service) Grants(ctx context.Context) ([]Grant, error) { return s.store.Grants(ctx) }

// SessionMode is the mode that a session chose within its grant.
type SessionMode struct {
	Mode guard.Mode
	// Workspace is a real path inside the grant's workspace.
	Workspace string
	// Sandbox requires a sandbox even if the grant has none.
	Sandbox bool
	Timeout time.Duration
	SetAt   time.Time
}

// ModeRequest holds the parameters of EnableYolo.
type ModeRequest struct {
	Mode guard.Mode
	// Workspace is the folder to work in; empty means the grant's workspace.
	Workspace string
	// Timeout is the time limit of a command; zero means DefaultCommandTimeout.
	Timeout time.Duration
	// Sandbox is what the agent asks for; nil means as in the grant.
	Sandbox *bool
}

// ModeSet is the result of EnableYolo.
type ModeSet struct {
	SessionMode
	Grant  Grant
	Unread int64
}

// EnableYolo chooses a mode under the conversation's grant. A session may choose less
// than the grant allows, but not more. Errors: ErrNoGrant, a RefusedError, and those of
// every session.
func (s *Service) EnableYolo(ctx context.Context, c bridge.Credentials, r ModeRequest) (ModeSet, error) {
	g := s.core.ReadGate(ctx, c, "enable_yolo_mode")
	if !slices.Contains(Modes(), r.Mode) {
		return ModeSet{}, s.core.Refuse(ctx, g, bridge.Invalid("mode", "must be one of %s", bridge.JoinWords(Modes())))
	}
	g.Details["mode"] = string(r.Mode)
	view, err := s.peek(ctx, g, "")
	if err != nil {
		return ModeSet{}, err
	}
	m, err := s.chooseMode(view, r, view.Clock.Time(g.Now))
	if err != nil {
		return ModeSet{}, s.refuseCommand(ctx, g, err)
	}
	g.Details["workspace"], g.Details["timeout_seconds"] = s.core.Redaction(ctx).Text(m.Workspace), int(m.Timeout.Seconds())
	unread, err := s.store.SetYoloMode(ctx, g, m)
	if err != nil {
		return ModeSet{}, err
	}
	return ModeSet{SessionMode: m, Grant: *view.Grant, Unread: unread}, nil
}

// chooseMode checks a session's choice against the grant.
func (s *Service) chooseMode(view View, r ModeRequest, now time.Time) (SessionMode, error) {
	grant, err := s.liveGrant(view, now)
	if err != nil {
		return SessionMode{}, err
	}
	if r.Timeout == 0 {
		r.Timeout = DefaultCommandTimeout
	}
	if r.Workspace == "" {
		r.Workspace = grant.Workspace
	}
	switch {
	case !r.Mode.Within(grant.Ceiling):
		return SessionMode{}, refused("the operator allows at most %s mode here: choose that, or ask your human to open a wider grant", grant.Ceiling)
	case r.Timeout < MinCommandTimeout || r.Timeout > MaxCommandTimeout:
		return SessionMode{}, bridge.Invalid("timeout", "must be %d to %d seconds", int(MinCommandTimeout.Seconds()), int(MaxCommandTimeout.Seconds()))
	case r.Sandbox != nil && !*r.Sandbox && !grant.Unsandboxed():
		return SessionMode{}, refused("the operator allows commands in a sandbox only: leave sandbox out")
	case len(r.Workspace) > 4*MaxWorkspaceLength || !filepath.IsAbs(r.Workspace):
		return SessionMode{}, bridge.Invalid("workspace", "must be an absolute path of at most %d characters", MaxWorkspaceLength)
	}
	workspace, _, err := realFolder(r.Workspace)
	if err != nil || !inFolder(grant.Workspace, workspace) {
		return SessionMode{}, refused("the workspace must be the one that the operator opened, or a folder in it: leave workspace out")
	}
	if err := s.checkWorkspace(workspace); err != nil {
		return SessionMode{}, err
	}
	return SessionMode{
		Mode: r.Mode, Workspace: workspace, Timeout: r.Timeout, SetAt: now,
		Sandbox: r.Sandbox != nil && *r.Sandbox,
	}, nil
}

// liveGrant returns the grant if it is valid: not expired, genuine, and for the same
// folder that the operator saw.
func (s *Service) liveGrant(view View, now time.Time) (Grant, error) {
	if view.Grant == nil || !now.Before(view.Grant.ExpiresAt) {
		return Grant{}, ErrNoGrant
	}
	g := *view.Grant
	if !s.genuineGrant(g) {
		return Grant{}, fmt.Errorf("%w: it was changed in the store", ErrNoGrant)
	}
	path, folder, err := realFolder(g.Workspace)
	if err != nil || path != g.Workspace || folder != g.Folder {
		return Grant{}, fmt.Errorf("%w: its workspace is not the folder that the operator opened", ErrNoGrant)
	}
	return g, nil
}

// realFolder returns a folder's real path and identity.
func realFolder(path string) (string, sandbox.Identity, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", sandbox.Identity{}, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", sandbox.Identity{}, errors.New("there is no such folder")
	}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return "", sandbox.Identity{}, errors.New("it is not a folder")
	}
	id, err := identify(info)
	return path, id, err
}

// inFolder reports whether path is folder or lies below it. Both are real paths.
func inFolder(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}
