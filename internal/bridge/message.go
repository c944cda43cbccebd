package bridge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a message (SPEC sections 1 and 4).
const (
	MaxMessageLength        = 50_000 // characters
	MaxFiles                = 20
	MaxFileNameLength       = 500 // characters
	MaxIdempotencyKeyLength = 200 // characters
)

// ActionType says what kind of message it is.
type ActionType string

// The action types (SPEC section 4).
const (
	ActionQuestion ActionType = "question"
	ActionInfo     ActionType = "info"
	ActionProposal ActionType = "proposal"
	ActionBlocked  ActionType = "blocked"
	ActionComplete ActionType = "complete"
)

// ActionTypes lists the action types in the order in which they are shown.
func ActionTypes() []ActionType {
	return []ActionType{ActionQuestion, ActionInfo, ActionProposal, ActionBlocked, ActionComplete}
}

// Message is text from one session to the other. Its Text, Files and the role
// of its sender are what another agent wrote: untrusted. Show them through
// Clean.
type Message struct {
	// ID numbers all messages of the store in the order in which they were stored.
	ID int64
	// Seq numbers the messages to one recipient of a conversation from 1, without gaps.
	Seq int64
	// From is "a", "b" or System.
	From   string
	To     SessionID
	Action ActionType
	Text   string
	Files  []string
	// Redacted names the kinds of secrets that were hidden in it.
	Redacted []string
	SentAt   time.Time
	// Redelivered marks a message that was handed out before, to an answer
	// that was not known to have reached its client.
	Redelivered bool
	// Read reports whether it was delivered.
	Read bool
}

// SendRequest is a message to the partner.
type SendRequest struct {
	Text string
	// Action is ActionInfo when empty.
	Action ActionType
	Files  []string
	// IdempotencyKey makes a repeated call return the first answer and store
	// nothing; empty means that every call is a new message.
	IdempotencyKey string
}

// NewMessage is a message for a store to number and keep.
type NewMessage struct {
	Action         ActionType
	Text           string
	Files          []string
	Redacted       []string
	IdempotencyKey string
}

// Sent is the answer to Send.
type Sent struct {
	ID, Seq int64
	SentAt  time.Time
	// Redacted names the kinds of secrets that were hidden.
	Redacted []string
	// Repeated reports that this is the first answer to the same idempotency key.
	Repeated bool
	// PartnerUnread counts what waits for the partner, this message included.
	PartnerUnread int64
	// Unread counts what waits for the caller.
	Unread int64
}

// Send stores a message for the caller's partner. When it returns without an
// error the message survives a power cut.
func (s *Service) Send(ctx context.Context, c Credentials, r SendRequest) (Sent, error) {
	g := s.WriteGate(c, "send_to_partner")
	if r.Action == "" {
		r.Action = ActionInfo
	}
	if err := validateSend(r); err != nil {
		return Sent{}, s.Refuse(ctx, g, err)
	}
	// The gate decides once more, inside the transaction. Deciding here as well
	// keeps redaction, which takes time that depends on what the session said
	// before, from whoever cannot prove to be that session.
	switch proven, err := s.proves(ctx, g); {
	case err != nil:
		return Sent{}, err
	case !proven:
		return Sent{}, s.Refuse(ctx, g, ErrUnauthorized)
	}
	m, err := s.redactMessage(ctx, c, r)
	if err != nil {
		return Sent{}, err
	}
	g.Details["action_type"] = string(m.Action)
	g.Details["characters"] = utf8.RuneCountInString(r.Text)
	if len(m.Redacted) > 0 {
		g.Details["redacted"] = m.Redacted
	}
	sent, err := s.store.AppendMessage(ctx, g, m)
	if err != nil {
		return Sent{}, err
	}
	if !sent.Repeated {
		s.Ring(g.Conversation, g.Session.Partner())
	}
	return sent, nil
}

// redactMessage makes of a request what may be stored. What the session said
// last is read along, for a secret that is split over two messages.
func (s *Service) redactMessage(ctx context.Context, c Credentials, r SendRequest) (NewMessage, error) {
	tail, err := s.store.LastWords(ctx, c.Conversation, c.Session, tailLength)
	if err != nil {
		return NewMessage{}, err
	}
	hide := s.Redaction(ctx)
	m := NewMessage{
		Action:         r.Action,
		Text:           hide.textAfter(tail, r.Text),
		Files:          hide.texts(r.Files),
		IdempotencyKey: s.onceKey(r.IdempotencyKey),
	}
	m.Redacted = hide.Found()
	return m, hide.Err()
}

// onceKey returns what is stored of an idempotency key: an HMAC, because an
// agent may put anything into it, and redacting could make two keys one.
func (s *Service) onceKey(key string) string {
	if key == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.once)
	mac.Write([]byte(key))
	return hex.EncodeToString(mac.Sum(nil))
}

func validateSend(r SendRequest) error {
	n := utf8.RuneCountInString(r.Text)
	switch {
	case strings.TrimSpace(r.Text) == "":
		return Invalid("message", "must not be empty")
	case n > MaxMessageLength:
		return Invalid("message", "must have at most %d characters, it has %d: send it in parts", MaxMessageLength, n)
	case !slices.Contains(ActionTypes(), r.Action):
		return Invalid("action_type", "must be one of %s", JoinWords(ActionTypes()))
	case len(r.Files) > MaxFiles:
		return Invalid("files_involved", "must name at most %d files, it names %d", MaxFiles, len(r.Files))
	case utf8.RuneCountInString(r.IdempotencyKey) > MaxIdempotencyKeyLength:
		return Invalid("idempotency_key", "must have at most %d characters", MaxIdempotencyKeyLength)
	}
	for _, f := range r.Files {
		if n := utf8.RuneCountInString(f); n < 1 || n > MaxFileNameLength {
			return Invalid("files_involved", "must name files with 1 to %d characters", MaxFileNameLength)
		}
	}
	return nil
}

// Limits of an answer with messages.
const (
	DefaultPage = 20  // messages
	MaxPage     = 100 // messages
	// PageBytes ends a page early, behind at least one message, so that an
	// answer fits into what clients show their model.
	PageBytes = 60_000
)

// History is a page of a conversation's past.
type History struct {
	// Messages are in the order in which they were stored, oldest first.
	Messages []Message
	// HasMore reports that there are earlier ones: ask again with Before set
	// to the first message's ID.
	HasMore bool
	Unread  int64
}

// History returns messages in both directions, read or not, that were stored
// before the message with the ID before (0: the latest). It marks nothing read.
func (s *Service) History(ctx context.Context, c Credentials, before int64, limit int) (History, error) {
	return s.HistoryWithin(ctx, c, before, limit, PageBytes)
}

// HistoryWithin is History for a caller that shows less, or more, than PageBytes
// on a page.
func (s *Service) HistoryWithin(ctx context.Context, c Credentials, before int64, limit, bytes int) (History, error) {
	g := s.ReadGate(c, "get_history")
	limit, err := pageSize(limit)
	if before < 0 {
		err = Invalid("before", "must be the id of a message")
	}
	if err != nil {
		return History{}, s.Refuse(ctx, g, err)
	}
	return s.store.History(ctx, g, Page{Before: before, Limit: limit, Bytes: bytes})
}

// Page says which part of a conversation to read.
type Page struct {
	Before int64 // only messages with a smaller ID; 0 means all
	Limit  int   // at most so many messages
	Bytes  int   // at most so many bytes of text and file names, behind the first message
}

func pageSize(limit int) (int, error) {
	switch {
	case limit == 0:
		return DefaultPage, nil
	case limit < 1 || limit > MaxPage:
		return 0, Invalid("limit", "must be 1 to %d", MaxPage)
	}
	return limit, nil
}
