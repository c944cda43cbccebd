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

// Mode is how much commands may do.
type Mode = guard.Mode

// Modes lists the modes, from the narrowest.
func Modes() []Mode { return []Mode{guard.ModeSafe, guard.ModeRestricted, guard.ModeYolo} }

// Grant is what an operator opened for a conversation: the most that its
// sessions may ask for. Even so each command needs an approval.
type Grant struct {
	Conversation string
	// Ceiling is the widest mode.
	Ceiling guard.Mode
	// Workspace is the real path of the folder, Folder the folder that had it.
	Workspace string
	Folder    sandbox.Identity
	// Sandbox is empty for the first that works, sandbox.None for no
	// confinement, or the backend to use.
	Sandbox sandbox.Backend
	// Image is for container backends.
	Image   string
	Network bool
	// Access is what they get besides.
	Access Access `json:",omitzero"`
	// AskInClient lets the agent's client put a request to its human.
	AskInClient bool
	OpenedAt    time.Time
	ExpiresAt   time.Time
	// Seal proves that the operator's side opened it.
	Seal []byte
}

// Unsandboxed reports whether commands run without confinement.
func (g Grant) Unsandboxed() bool { return g.Sandbox == sandbox.None }

// GrantRequest asks for a grant.
type GrantRequest struct {
	Conversation string
	Mode         guard.Mode
	Workspace    string
	// TTL is DefaultGrantTTL when zero.
	TTL         time.Duration
	Sandbox     sandbox.Backend
	Image       string
	Network     bool
	AskInClient bool
	// Tools, Domains and EnvFiles: see Access. Paths need not be real ones.
	Tools, Domains []string
	EnvFiles       bool
}

// PrepareGrant makes a grant and checks that commands could run under it. It is
// open only once OpenGrant was called.
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

// tryGrant makes sure that commands could be run, before a human opens anything.
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
		return bridge.Invalid("image", "goes with the sandboxes docker and podman, and only with them")
	}
	return nil
}

// OpenGrant opens a grant that PrepareGrant made, in place of an earlier
// one of the conversation: whatever was asked or approved under that is void.
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

// backendName is how a backend is called where people and agents see it.
func backendName(b sandbox.Backend) string {
	switch b {
	case "":
		return "automatic"
	case sandbox.None:
		return "UNSANDBOXED"
	}
	return string(b)
}

// CloseGrant closes a conversation's grant: nothing more runs. The error may be
// ErrNoGrant.
func (s *Service) CloseGrant(ctx context.Context, conversation string) error {
	return s.store.CloseGrant(ctx, s.core.OperatorOperation("yolo_disable", conversation))
}

// Grants returns all grants, the newest first, expired ones too.
func (s *Service) Grants(ctx context.Context) ([]Grant, error) { return s.store.Grants(ctx) }

// SessionMode is what a session chose below its grant's ceiling.
type SessionMode struct {
	Mode guard.Mode
	// Workspace is a real path in the grant's workspace.
	Workspace string
	// Sandbox asks for a sandbox even where the grant has none.
	Sandbox bool
	Timeout time.Duration
	SetAt   time.Time
}

// ModeRequest asks for a mode.
type ModeRequest struct {
	Mode guard.Mode
	// Workspace is the grant's when empty.
	Workspace string
	// Timeout is DefaultCommandTimeout when zero.
	Timeout time.Duration
	// Sandbox is what the agent asks for; nil leaves it to the grant.
	Sandbox *bool
}

// ModeSet is the answer to EnableYolo.
type ModeSet struct {
	SessionMode
	Grant  Grant
	Unread int64
}

// EnableYolo chooses a mode under the conversation's grant. A session may choose
// less than the grant, never more. Errors: ErrNoGrant, a RefusedError, and those
// of every session.
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

// chooseMode holds a session's choice against the grant.
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

// liveGrant returns the grant if it stands: in time, genuine, and with the
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
		return Grant{}, fmt.Errorf("%w: its workspace is no longer the folder that the operator opened", ErrNoGrant)
	}
	return g, nil
}

// realFolder resolves a folder and identifies it.
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

// inFolder reports whether path is folder or lies in it. Both are real paths.
func inFolder(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}
