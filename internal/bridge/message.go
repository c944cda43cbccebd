package bridge

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a message (PRODUCTION.md, Limits).
const (
	MaxMessageLength        = 50_000 // characters
	MaxFiles                = 20
	MaxFileNameLength       = 500 // characters
	MaxIdempotencyKeyLength = 200 // characters
)

// ActionType says what kind of message it is.
type ActionType string

// The action types, as send_to_partner takes them (docs/tools.md).
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

// Message is text from one session to others. Its Text, Files and the role
// of its sender are what another agent wrote: untrusted. Show them through
// Clean.
type Message struct {
	// ID numbers all messages of the store in the order in which they were stored.
	ID int64
	// Seq numbers the messages to one recipient of a conversation from 1, without
	// gaps: that of the reader, or else of the first recipient.
	Seq int64
	// From is a session, System or Operator.
	From   string
	To     Recipients
	Action ActionType
	Text   string
	Files  []string
	// Redacted names the kinds of secrets that were hidden in it.
	Redacted []string
	SentAt   time.Time
	// Redelivered marks a message that was handed out before, to an answer
	// that was not known to have reached its client.
	Redelivered bool
	// Read reports whether it was delivered to the reader, or else to all recipients.
	Read bool
	// ReplyTo is the ID of the message that it answers; 0 for none.
	ReplyTo int64
	// Conversation is set where messages of several are together.
	Conversation string
}

// SendRequest is a message to other sessions.
type SendRequest struct {
	Text string
	// To names the sessions that get it, or is Everyone; it may be empty where there
	// is only one.
	To []SessionID
	// Action is ActionInfo when empty.
	Action ActionType
	Files  []string
	// ReplyTo is the ID of the message of the conversation that it answers; 0 for
	// none.
	ReplyTo int64
	// IdempotencyKey makes a repeated call return the first answer and store
	// nothing; empty means that every call is a new message.
	IdempotencyKey string
}

// NewMessage is a message for a store to number and keep.
type NewMessage struct {
	Action   ActionType
	Text     string
	Files    []string
	Redacted []string
}

// Draft is a message that is yet to be made, by rules that are asked within the
// transaction that stores it.
type Draft struct {
	// ReplyTo is the ID of the message that it answers; 0 for none.
	ReplyTo int64
	To      RecipientRule
	Text    MessageRule
}

// SendScene is what decides about a message before it is made.
type SendScene struct {
	// Repeated reports that its idempotency key has an answer: nothing else counts then.
	Repeated bool
	// Roster is the sessions of the conversation.
	Roster Roster
	// Answers reports that the caller sent or was sent the message that it answers.
	Answers bool
}

// Admit says who gets the message, and what the call costs. The error is a Refusal, for
// arguments that do not fit the scene; such a call is not charged as a message.
func (d Draft) Admit(g Gate, s SendScene) (to Recipients, charges []Charge, err error) {
	if s.Repeated {
		return nil, g.sendCharges(true, 0), nil
	}
	if to, err = d.To(s.Roster); err != nil {
		return nil, nil, g.Refuse(err, OutcomeInvalid)
	}
	if d.ReplyTo != 0 && !s.Answers {
		return nil, nil, g.Refuse(noSuchReply(), OutcomeInvalid)
	}
	return to, g.sendCharges(false, len(to)), nil
}

// Answer completes what a store answers to a message, in a conversation of many (more
// than two sessions) or of two, and notes in g's details what the log keeps of it.
func (s Sent) Answer(g Gate, many bool, standing Standing) Sent {
	if s.Repeated {
		g.Details["repeated"] = true
	}
	if s.Many = many; many {
		g.Details["to"] = s.Recipients()
	}
	if seqs := s.seqs(); len(seqs) > 1 {
		g.Details["seqs"] = seqs
	}
	s.Unread, s.Now, s.Standing = standing.Unread, g.Now, standing
	g.Details["message_id"], g.Details["seq"] = s.ID, s.Seq
	return s
}

// Sent is the answer to Send.
type Sent struct {
	ID int64
	// Seq is its number in the inbox of its first recipient, who is Partner. Further
	// ones are those beside it.
	Seq     int64
	Further []Recipient
	// Many reports that the conversation has more than two sessions.
	Many   bool
	SentAt time.Time
	// Redacted names the kinds of secrets that were hidden.
	Redacted []string
	// Repeated reports that this is the first answer to the same idempotency key.
	Repeated bool
	// PartnerUnread counts what waits for the first recipient, this message included.
	PartnerUnread int64
	// Unread counts what waits for the caller.
	Unread int64
	// Partner is what is known of the first recipient, but for what it was sent, and
	// Now the time of that.
	Partner SessionState
	Now     time.Time
	// Shared are those of its files that its recipients named within SharedFor.
	Shared Shared
	// Standing is the caller's.
	Standing Standing
}

// ChargeFor is what a call of g costs, given the first answer to its idempotency
// key, if there was one: a call that was answered before costs one read.
func (g Gate) ChargeFor(repeated bool) []Charge {
	if repeated {
		return []Charge{g.Repeat}
	}
	return g.Charges
}

// sendCharges is what a message to so many recipients costs: a write for each.
func (g Gate) sendCharges(repeated bool, recipients int) []Charge {
	charges := slices.Clone(g.ChargeFor(repeated))
	if !repeated {
		for i := range charges {
			charges[i].Times, charges[i].Instead = recipients, &g.Repeat
		}
	}
	return charges
}

// Recipients are all who got the message.
func (s Sent) Recipients() Recipients {
	if s.Partner.Session == "" {
		return nil // nobody is left
	}
	all := Recipients{s.Partner.Session}
	for _, r := range s.Further {
		all = append(all, r.Session)
	}
	return all
}

// seqs are the numbers that the message has in the inboxes of its recipients, in their
// order.
func (s Sent) seqs() []int64 {
	all := []int64{s.Seq}
	for _, r := range s.Further {
		all = append(all, r.Seq)
	}
	return all
}

// Send stores a message for the sessions that it names, or for the caller's only
// partner. When it returns without an error the message survives a power cut.
func (s *Service) Send(ctx context.Context, c Credentials, r SendRequest) (Sent, error) {
	g := s.WriteGate(ctx, c, "send_to_partner")
	if r.Action == "" {
		r.Action = ActionInfo
	}
	if err := validateSend(r); err != nil {
		return Sent{}, s.Refuse(ctx, g, err)
	}
	g.Details["action_type"] = string(r.Action)
	g.Details["characters"] = utf8.RuneCountInString(r.Text)
	rule, err := s.messageRule(ctx, r, g.Details)
	if err != nil {
		return Sent{}, err
	}
	if r.ReplyTo != 0 {
		g.Details["reply_to"] = r.ReplyTo
	}
	draft := Draft{ReplyTo: r.ReplyTo, To: recipientRule(g.Session, r.To), Text: rule}
	sent, err := s.store.AppendMessage(ctx, g, s.OnceKey(r.IdempotencyKey), draft)
	if err != nil {
		return Sent{}, err
	}
	if !sent.Repeated {
		s.ringAll(g.Conversation, sent.Recipients())
	}
	return sent, nil
}

// A MessageRule makes a message of what its sender said last, which is for
// redaction only: the last TailLength characters of its last message, and of the
// last that each recipient got of it. It is pure. A store that calls it has let the
// sender through.
type MessageRule func(tails []string) NewMessage

// TailLength is how many characters of what a session said last are read again
// for the beginning of a secret that its next message completes.
const TailLength = 512

// messageRule makes of a request what may be stored. All that does not depend on
// what the session said before is done here, outside of the transaction.
func (s *Service) messageRule(ctx context.Context, r SendRequest, details Details) (MessageRule, error) {
	hide := s.Redaction(ctx)
	plain := hide.hideTokens(r.Text)
	files := hide.texts(r.Files)
	if hide.Err() != nil {
		return nil, hide.Err()
	}
	alone, kindsAlone := s.redactor.Redact(plain)
	return func(tails []string) NewMessage {
		text, kinds := s.redactAfter(tails, plain)
		if text == "" {
			text, kinds = alone, kindsAlone
		}
		hide.kinds = append(hide.kinds, kinds...)
		m := NewMessage{Action: r.Action, Text: text, Files: files, Redacted: hide.Found()}
		if len(m.Redacted) > 0 {
			details["redacted"] = m.Redacted
		}
		return m
	}, nil
}

// redactAfter redacts a text that completes a secret which began in one of tails; it
// returns "" for any other.
func (s *Service) redactAfter(tails []string, plain string) (text string, kinds []string) {
	for _, tail := range tails {
		if !s.redactor.Crosses(tail, plain) {
			continue
		}
		clean, found := s.redactor.RedactAfter(tail, cmp.Or(text, plain))
		text, kinds = clean, append(kinds, found...)
	}
	return text, kinds
}

// OnceKey returns what is stored of an idempotency key: an HMAC, because an
// agent may put anything into it, and redacting could make two keys one.
func (s *Service) OnceKey(key string) string {
	if key == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.once)
	mac.Write([]byte(key))
	return hex.EncodeToString(mac.Sum(nil))
}

func validateSend(r SendRequest) error {
	n := utf8.RuneCountInString(r.Text)
	if err := validateTo(r.To); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(r.Text) == "":
		return Invalid("message", "must not be empty")
	case n > MaxMessageLength:
		return Invalid("message", "must have at most %d characters, it has %d: send it in parts", MaxMessageLength, n)
	case r.ReplyTo < 0:
		return noSuchReply()
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

// History returns what the caller sent and was sent, read or not, and was stored
// before the message with the ID before (0: the latest). It marks nothing read.
func (s *Service) History(ctx context.Context, c Credentials, before int64, limit int) (History, error) {
	return s.HistoryWithin(ctx, c, before, limit, PageBytes)
}

// HistoryWithin is History for a caller that shows less than PageBytes on a page.
func (s *Service) HistoryWithin(ctx context.Context, c Credentials, before int64, limit, bytes int) (History, error) {
	g := s.ReadGate(ctx, c, "get_history")
	limit, err := pageSize(limit)
	if before < 0 {
		err = Invalid("before", "must be the id of a message")
	}
	if err != nil {
		return History{}, s.Refuse(ctx, g, err)
	}
	return s.store.History(ctx, g, Page{Before: before, Limit: limit, Bytes: PageWithin(bytes)})
}

// PageWithin is how many bytes a page has that is to have so many.
func PageWithin(bytes int) int {
	if bytes < 1 || bytes > PageBytes {
		return PageBytes
	}
	return bytes
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

// Two agents that name the same file are told of it for SharedFor, by the last
// SharedAmong messages of the other, and of those by the last that have SharedBytes of names
// as they are stored: who names much makes the others' messages cost no more.
const (
	SharedFor   = time.Hour
	SharedAmong = 200
	SharedBytes = 128 << 10
)

// Shared are files that a session named and that others did, too, by these; the only
// partner of a conversation of two is "".
type Shared map[SessionID][]string

// With adds what another session named, each file once.
func (s Shared) With(other SessionID, files []string) Shared {
	if len(files) == 0 {
		return s
	}
	with := maps.Clone(s)
	if with == nil {
		with = Shared{}
	}
	all := append(slices.Clone(with[other]), files...)
	with[other] = SharedFiles(all, all)
	return with
}

// Sessions are those that named the files, in order.
func (s Shared) Sessions() []SessionID { return slices.Sorted(maps.Keys(s)) }

// Files are all of them, each once.
func (s Shared) Files() (files []string) {
	for _, other := range s.Sessions() {
		files = append(files, s[other]...)
	}
	return SharedFiles(files, files)
}

// SharedFiles returns those of the names that are among the others', too, each
// once. Spellings such as ./a.go are one file.
func SharedFiles(names, others []string) (shared []string) {
	found := make(map[string]bool, len(names)) // by cleaned name: whether another named it
	for _, name := range names {
		found[path.Clean(name)] = false
	}
	for _, other := range others {
		if clean := path.Clean(other); !found[clean] {
			if _, wanted := found[clean]; wanted {
				found[clean] = true
			}
		}
	}
	for _, name := range names {
		if clean := path.Clean(name); found[clean] {
			shared = append(shared, name)
			found[clean] = false // each once
		}
	}
	return shared
}

// Told forgets the files that the standing told a session of. The error is
// ErrUnauthorized for who cannot prove to be that session.
func (s *Service) Told(ctx context.Context, c Credentials, standing Standing) error {
	if proved, err := s.Proves(ctx, s.ReadGate(ctx, c, "")); err != nil || !proved {
		return cmp.Or(err, ErrUnauthorized)
	}
	return s.store.ForgetShared(ctx, c.Conversation, c.Session, standing.Shared)
}

// noSuchReply refuses an answer to a message that the caller neither sent nor got.
func noSuchReply() error {
	return Invalid("reply_to", "must be the message_id of a message of this conversation that you sent or were sent")
}

// RefuseInvalid is the refusal of an argument of the operator's that only the transaction could
// judge. A session's is Gate.Refuse.
func RefuseInvalid(op Operation, reason error) error {
	op.Details.Blame(reason)
	return &Refusal{Reason: reason, Outcome: OutcomeInvalid}
}
