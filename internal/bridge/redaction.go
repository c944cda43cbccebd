package bridge

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// kindToken is the kind of secret that only bridge can recognise: one of its
// own tokens.
const (
	kindToken        = "BRIDGE_TOKEN"
	tokenPlaceholder = kindToken + "_REDACTED"
)

// Redaction hides secrets in the strings of one call, before anything is stored.
type Redaction struct {
	service *Service
	lookup  Lookup
	ctx     context.Context //nolint:containedctx // lives as long as the call it belongs to
	kinds   []string
	err     error
}

// Redaction begins the redaction of one call.
func (s *Service) Redaction(ctx context.Context) *Redaction {
	return s.RedactionBy(ctx, s.store.Suspects)
}

// Lookup calls visit with each session whose token has one of the fingerprints.
// See Store.Suspects.
type Lookup func(ctx context.Context, prints []int64, visit func(Suspect)) error

// RedactionBy is Redaction for use inside a transaction, which has its own
// lookup.
func (s *Service) RedactionBy(ctx context.Context, lookup Lookup) *Redaction {
	return &Redaction{service: s, lookup: lookup, ctx: ctx}
}

// Text redacts one string.
func (r *Redaction) Text(text string) string { return r.TextAfter("", text) }

// TextAfter redacts text that follows tail in the same call.
func (r *Redaction) TextAfter(tail, text string) string {
	clean, found := r.service.redactor.RedactAfter(tail, r.hideTokens(text))
	r.kinds = append(r.kinds, found...)
	return clean
}

func (r *Redaction) texts(texts []string) []string {
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = r.Text(text)
	}
	return clean
}

// Found returns the kinds of secrets that were hidden, sorted and without
// duplicates; nil if there were none.
func (r *Redaction) Found() []string {
	slices.Sort(r.kinds)
	return slices.Compact(r.kinds)
}

// Err returns the error that prevented a text from being redacted. If it is not nil,
// nothing of the call may be stored.
func (r *Redaction) Err() error { return r.err }

// hideTokens replaces tokens of the store's conversations. They look like any
// SHA-256 digest, so they can only be recognised by comparison. Without this, a
// token that an agent sends would be stored in clear.
func (r *Redaction) hideTokens(text string) string {
	s := r.service
	var prints []int64
	candidates(text, func(token string) { prints = append(prints, s.printer.read(token)) })
	if len(prints) == 0 {
		return text
	}
	slices.Sort(prints)
	prints = slices.Compact(prints)
	r.err = errors.Join(r.err, r.lookup(r.ctx, prints, func(found Suspect) {
		token := s.tokens.Issue(found.Conversation, string(found.Session), found.Nonce)
		if strings.Contains(text, token) {
			text = strings.ReplaceAll(text, token, tokenPlaceholder)
			r.kinds = append(r.kinds, kindToken)
		}
	}))
	return text
}
