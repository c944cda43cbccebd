package claims

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/text/unicode/norm"

	"example.org/bridge/internal/bridge"
)

// Editor is who is about to change files: the sessions that one agent has. Without
// any it is somebody of whom nothing is known, to whom every claim counts.
type Editor []bridge.Credentials

// Judgement is what claims say about the change of some paths.
type Judgement struct {
	// Blocks is the claim of another session on each path that is not free, by path.
	Blocks map[string]Claim
	// Own are the sessions of the editor that have claimed a path themselves.
	Own []bridge.Credentials `json:"-"`
	// Now is the time of the judgement.
	Now time.Time

	teams []string // of the editor's sessions
}

// Bounds of what JudgeChange takes.
const (
	maxSessions = 256
	maxChanged  = 10_000
)

// JudgeChange is Judge for a caller whose word counts for nothing, such as another
// machine: only the sessions that prove themselves are the editor, and without one it is
// refused with bridge.ErrUnauthorized. The paths are at most 10,000.
func (s *Service) JudgeChange(ctx context.Context, e Editor, paths []string) (Judgement, error) {
	proved, err := s.proved(ctx, e, paths)
	if err != nil {
		return Judgement{}, err
	}
	return s.Judge(ctx, proved, paths)
}

// RecordChange is Record for a caller as JudgeChange has them. It judges again: the
// judgement of such a caller is no fact either.
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

// proved are the sessions that are who they say, in conversations that have not ended.
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

// First returns the first of paths that is not free, as an error.
func (j Judgement) First(paths []string) *HeldError {
	for _, path := range paths {
		if c, held := j.Blocks[path]; held {
			return heldError(path, c, j.Now)
		}
	}
	return nil
}

// Judge says which of paths other sessions of the editor's teams have claimed. The
// paths are files or patterns, relative to the root of a repository. It records
// nothing, and takes the editor's word for who it is: nobody is told what is not in
// "bridge claims list".
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

// add judges a path by the claims on it. Who shares a file with others may change it,
// as they may.
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

// teams are those of the editor's conversations.
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

// holds reports whether a claim is the editor's, and by which of its sessions.
// Session a is one agent in all the conversations of its team.
func (e Editor) holds(claim Claim, teams []string) (bridge.Credentials, bool) {
	for i, c := range e {
		orchestrates := c.Session == bridge.SessionA && teams[i] == claim.TeamID
		if c.Session == claim.Session && (c.Conversation == claim.Conversation || orchestrates) {
			return c, true
		}
	}
	return bridge.Credentials{}, false
}

// Record records what was judged of paths that the editor is about to change through a
// tool of its client's: a refusal as the editor's, and work on its own claims as a sign
// of life, by which it keeps them. The error is a HeldError where a path is still not
// free. It waits for the store as every change does; who cannot wait goes by j.
func (s *Service) Record(ctx context.Context, e Editor, j Judgement, paths []string) error {
	refused := j.First(paths)
	if refused == nil {
		for _, own := range j.Own {
			_, _ = s.core.Heartbeat(ctx, own) // it may be expired: no reason to refuse
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
	return refused // recorded or not
}

// guardRule refuses the change of a path that another session has claimed, and
// changes nothing.
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
