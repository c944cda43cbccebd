package claims

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/text/unicode/norm"

	"example.org/bridge/internal/bridge"
)

// Editor is an agent that is about to change files, as the list of its sessions.
// An empty Editor is an unknown agent, against whom every claim counts.
type Editor []bridge.Credentials

// Judgement is the result of checking claims before a change of some paths.
type Judgement struct {
	// Blocks maps each path that is not free to the claim of another session.
	Blocks map[string]Claim
	// Own are the sessions of the editor that have claimed one of the paths
	// themselves.
	Own []bridge.Credentials `json:"-"`
	// Now is the time of the judgement.
	Now time.Time

	teams []string // of the editor's sessions
}

// Limits of JudgeChange.
const (
	maxSessions = 256
	maxChanged  = 10_000
)

// JudgeChange is Judge for a caller that is not trusted, such as another machine. The
// editor consists only of sessions that are proved; without any, the error is
// bridge.ErrUnauthorized. There may be at most 10,000 paths.
func (s *Service) JudgeChange(ctx context.Context, e Editor, paths []string) (Judgement, error) {
	proved, err := s.proved(ctx, e, paths)
	if err != nil {
		return Judgement{}, err
	}
	return s.Judge(ctx, proved, paths)
}

// RecordChange is Record for a caller that is not trusted. It judges again, because
// the caller's judgement is not trusted either.
func (s *Service) RecordChange(ctx context.Context, e Editor, paths []string) error {
	proved, err := s.proved(ctx, e, paths)
	if err != nil {
		return err
	}
	j, err := s.Judge(ctx, proved, paths)
	if err != nil {
		return err
	}
	return s.Record(ctx, proved, j, paths)
}

// proved returns the sessions that prove their identity and whose conversations have
// not ended.
func (s *Service) proved(ctx context.Context, e Editor, paths []string) (Editor, error) {
	switch {
	case len(e) > maxSessions:
		return nil, bridge.Invalid("sessions", "must be at most 256")
	case len(paths) > maxChanged:
		return nil, bridge.Invalid("paths", "must be at most 10000")
	}
	var proved Editor
	for _, c := range e {
		mail, err := s.core.CountMail(ctx, c)
		if errors.Is(err, bridge.ErrUnauthorized) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if mail.Left() > 0 {
			proved = append(proved, c)
		}
	}
	if len(proved) == 0 {
		return nil, bridge.ErrUnauthorized
	}
	return proved, nil
}

// First returns an error for the first of paths that is not free, or nil.
func (j Judgement) First(paths []string) *HeldError {
	for _, path := range paths {
		if c, held := j.Blocks[path]; held {
			return heldError(path, c, j.Now)
		}
	}
	return nil
}

// Judge returns which of paths are claimed by other sessions of the editor's teams.
// The paths are files or patterns, relative to the root of a repository. It records
// nothing and does not verify the editor's sessions, since it reveals nothing
// beyond "bridge claims list".
func (s *Service) Judge(ctx context.Context, e Editor, paths []string) (Judgement, error) {
	held, now, err := s.Held(ctx)
	j := Judgement{Blocks: map[string]Claim{}, Now: now}
	if err != nil || len(held) == 0 || len(paths) == 0 {
		return j, err
	}
	j.teams, err = s.teams(ctx, e)
	if err != nil {
		return j, err
	}
	hide := s.core.Redaction(ctx)
	for _, path := range paths {
		composed := norm.NFC.String(path)
		hidden := hide.Text(composed) // as it is in the store
		var on []Claim
		for _, c := range held {
			if (len(e) == 0 || slices.Contains(j.teams, c.TeamID)) && (Overlap(composed, c.Path) || Overlap(hidden, c.Path)) {
				on = append(on, c)
			}
		}
		j.add(e, path, on)
	}
	return j, hide.Err()
}

// add judges a path by the claims on it. Those who share a claim may all change the
// file.
func (j *Judgement) add(e Editor, path string, on []Claim) {
	shares := false
	for _, c := range on {
		own, mine := e.holds(c, j.teams)
		if mine && !slices.Contains(j.Own, own) {
			j.Own = append(j.Own, own)
		}
		shares = shares || mine && c.Shared
	}
	for _, c := range on {
		if _, mine := e.holds(c, j.teams); !mine && !(c.Shared && shares) {
			j.Blocks[path] = c
			return
		}
	}
}

// teams returns the teams of the editor's conversations.
func (s *Service) teams(ctx context.Context, e Editor) ([]string, error) {
	var teams []string
	for _, c := range e {
		o, err := s.core.Conversation(ctx, c.Conversation)
		if err != nil {
			return nil, err
		}
		teams = append(teams, o.TeamID)
	}
	return teams, nil
}

// holds returns the editor's session that holds a claim, and false if the claim
// is another's. Session a is the same agent in all conversations of its team.
func (e Editor) holds(claim Claim, teams []string) (bridge.Credentials, bool) {
	for i, c := range e {
		orchestrates := c.Session == bridge.SessionA && teams[i] == claim.TeamID
		if c.Session == claim.Session && (c.Conversation == claim.Conversation || orchestrates) {
			return c, true
		}
	}
	return bridge.Credentials{}, false
}

// Record records the judgement of paths that the editor is about to change with a tool
// of its client: a refusal, or a sign of life for sessions that hold the claims
// themselves, which extends the claims. The error is a *HeldError if a path is still
// not free. Record waits for the store like any change; a caller that cannot wait
// should rely on j.
func (s *Service) Record(ctx context.Context, e Editor, j Judgement, paths []string) error {
	refused := j.First(paths)
	if refused == nil {
		for _, own := range j.Own {
			_, _ = s.core.Heartbeat(ctx, own) // an error, such as an expired conversation, is no reason to refuse
		}
		return nil
	}
	g := s.core.ReadGate(ctx, e[max(0, slices.Index(j.teams, j.Blocks[refused.Path].TeamID))], "guard_file")
	g.Details["paths"] = []string{s.core.Redaction(ctx).Text(shown(refused.Path))}
	_, err := s.store.ChangeClaims(ctx, g, 0, e.guardRule(j, refused.Path))
	var held *HeldError
	if err == nil || errors.As(err, &held) {
		return err // judged again, in the transaction that recorded it
	}
	return refused // whether or not it was recorded
}

// guardRule returns a rule that refuses a change of a path that another session
// has claimed, and keeps nothing.
func (e Editor) guardRule(j Judgement, path string) Rule {
	return func(s Scene) Outcome {
		for _, c := range s.Claims {
			if _, mine := e.holds(c, j.teams); mine || !c.Held(s.Now) || c.ID != j.Blocks[path].ID {
				continue
			}
			return Outcome{Refused: heldError(path, c, s.Now)}
		}
		return Outcome{}
	}
}
