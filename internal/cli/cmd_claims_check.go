package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/systemtool"
	"example.org/bridge/internal/view"
)

type claimsCheckOptions struct {
	staged                bool
	conversation, session string
}

func newClaimsCheckCmd(a *app) *cobra.Command {
	var o claimsCheckOptions
	cmd := &cobra.Command{
		Use:   "check --staged",
		Short: "See whether others have claimed files of your commit",
		Long: `List the files staged for the next commit that another agent has claimed. Use it in
git's "pre-commit" hook: put "exec bridge claims check --staged" into
.git/hooks/pre-commit and make that file executable.

In the shell of an agent of Claude Code, Codex or Gemini CLI that is in a conversation,
the claims of its teams count, except its own. Use --conversation to name a conversation
of the team, and --session for which of its agents you are. Otherwise every claim
counts, because a claim does not name its repository.

The exit code is 1 if a staged file is claimed. If the claims cannot be read, the
command says so and the exit code is 0, so that a commit is never held up by the bridge.`,
		Example: `  bridge claims check --staged
  bridge claims check --staged --conversation 3f2a --session b
  bridge claims check --staged --json | jq -r '.claimed[].file'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !o.staged:
				return usagef("say what is to be checked: --staged")
			case o.session != "" && o.conversation == "":
				return usagef("--session needs --conversation")
			}
			return runClaimsCheck(cmd.Context(), a, o)
		},
	}
	boolFlag(cmd.Flags(), &o.staged, "staged", "check the files that are staged for the next commit")
	textFlag(cmd.Flags(), &o.conversation, kindText, "conversation", "the conversation whose team's claims count")
	sessionFlag(cmd.Flags(), &o.session, "session", "your own session, whose claims do not count")
	return cmd
}

func runClaimsCheck(ctx context.Context, a *app, o claimsCheckOptions) error {
	if o.conversation != "" {
		if err := checkConversation(o.conversation); err != nil {
			return err
		}
	}
	files, err := stagedFiles(ctx)
	if err != nil {
		return err
	}
	var j claims.Judgement
	if len(files) > 0 {
		j, err = a.judgeStaged(ctx, o, files)
	}
	var usage *usageError
	switch {
	case errors.As(err, &usage) || errors.Is(err, bridge.ErrNotFound):
		return err
	case err != nil:
		a.note("the commit was not checked: " + view.Line(err))
	}
	return a.printClaimed(files, j, err == nil)
}

// judgeStaged returns which of the files others have claimed.
func (a *app) judgeStaged(ctx context.Context, o claimsCheckOptions, files []string) (j claims.Judgement, err error) {
	if a.isConnected() {
		return a.judgeBehind(ctx, o, files)
	}
	err = a.withServices(ctx, false, func(s services) error {
		editor, err := a.committer(ctx, s.Service, o)
		if err != nil {
			return err
		}
		j, err = s.Judge(ctx, editor, files)
		return err
	})
	return j, err
}

// errNoAgentShell is the reason why a commit is not checked if the claims of other
// sessions cannot be read.
var errNoAgentShell = errors.New("the store is behind a gateway, which shows claims only to the agents of a team: commit in your agent's shell")

// judgeBehind is judgeStaged for a store behind a gateway. It asks on behalf of the
// agent whose shell this is.
func (a *app) judgeBehind(ctx context.Context, o claimsCheckOptions, files []string) (j claims.Judgement, err error) {
	if o.conversation != "" {
		return j, usagef("--conversation is for the machine that has the store: leave it out, and commit in your agent's shell")
	}
	entries, err := a.shellEntries()
	if err != nil {
		return j, err
	}
	if len(entries) == 0 {
		return j, errNoAgentShell
	}
	var e claims.Editor
	for _, entry := range entries {
		e = append(e, bridge.Credentials{Conversation: entry.Conversation, Session: bridge.SessionID(entry.Session), Token: entry.Token})
	}
	err = a.withBeside(ctx, func(s besideAgent) error {
		j, err = s.JudgeChange(ctx, e, files)
		return err
	})
	return j, err
}

// committer returns who commits: the session named by flags, or the agent whose shell
// this is.
func (a *app) committer(ctx context.Context, s *bridge.Service, o claimsCheckOptions) (claims.Editor, error) {
	if o.conversation != "" {
		found, err := findConversation(ctx, s, o.conversation)
		if err != nil {
			return nil, err
		}
		session := bridge.SessionID(o.session)
		if _, known := found.Sessions.Of(session); o.session != "" && !known {
			return nil, usagef("--session must be a session of the conversation: %s", bridge.Recipients(found.Sessions.IDs()))
		}
		return claims.Editor{{Conversation: found.ID, Session: session}}, nil
	}
	entries, err := a.shellEntries()
	if err != nil {
		return nil, err
	}
	var e claims.Editor
	for _, entry := range entries {
		if _, err := s.Conversation(ctx, entry.Conversation); err == nil {
			e = append(e, bridge.Credentials{Conversation: entry.Conversation, Session: bridge.SessionID(entry.Session)})
		}
	}
	return e, nil
}

// shellEntries returns the sessions of the agent whose shell this is.
func (a *app) shellEntries() (all []binding.Entry, err error) {
	path, err := a.storePath()
	if err != nil {
		return nil, err
	}
	for _, v := range shellSessions {
		id := a.env(v.variable)
		if id == "" {
			continue
		}
		entries, err := binding.Beside(path).Load(a.now(), binding.Process{}, binding.OfSession(v.client, id))
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return all, nil
}

// shellSessions are the variables in which clients pass their session ID to the shells
// of their agents.
var shellSessions = []struct{ client, variable string }{
	{"claude", "CLAUDE_CODE_SESSION_ID"},
	{"codex", "CODEX_THREAD_ID"},
	{"gemini", "GEMINI_SESSION_ID"},
}

// stagedTime is the time limit for git to list the staged files.
const stagedTime = 30 * time.Second

// stagedFiles returns the files that the next commit would change, relative to the root
// of the repository that contains the current folder.
func stagedFiles(ctx context.Context) ([]string, error) {
	git, err := systemtool.Find("git")
	if err != nil {
		return nil, fmt.Errorf("list what is staged: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, stagedTime)
	defer cancel()
	// The index is the one named in the environment, which git sets for its hooks.
	cmd := exec.CommandContext(ctx, git, "diff", "--cached", "--name-only", "--no-renames", "--no-relative", "--no-ext-diff", "--ignore-submodules=none", "-z") //nolint:gosec // the system's git
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, usagef("git cannot list the staged files: run it in the working tree of a repository: %s", cleantext.CleanLine(firstLine(problem.String())))
	}
	var files []string
	for name := range strings.SplitSeq(string(out), "\x00") {
		if name != "" {
			files = append(files, name)
		}
	}
	return files, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// claimedFile is a staged file that another session has claimed.
type claimedFile struct {
	File  string     `json:"file"`
	Claim view.Claim `json:"claim"`
}

func (a *app) printClaimed(files []string, j claims.Judgement, checked bool) error {
	claimed := []claimedFile{}
	for _, file := range files {
		if c, held := j.Blocks[file]; held {
			claimed = append(claimed, claimedFile{cleantext.CleanLine(file), view.ClaimOf(c, j.Now)})
		}
	}
	var failed error
	if len(claimed) > 0 {
		failed = &exitError{advice.ExitFailure}
	}
	if a.json {
		return errors.Join(a.printJSON(struct {
			Checked bool          `json:"checked"`
			Files   int           `json:"files"`
			Claimed []claimedFile `json:"claimed"`
		}{checked, len(files), claimed}), failed)
	}
	for _, c := range claimed {
		_ = a.say("%s is claimed by session %s of %s, claim %d, for %d seconds more.", c.File, c.Claim.SessionID, c.Claim.ConversationID, c.Claim.ClaimID, c.Claim.SecondsLeft) // the exit code says it, too
	}
	if len(claimed) > 0 {
		_ = a.say("Leave these files out of the commit, or wait until their claims have ended.")
	}
	return failed
}
