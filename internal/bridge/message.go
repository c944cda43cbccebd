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

// ActionType is the kind of a message.
type ActionType string

// The action types of send_to_partner (docs/tools.md).
const (
	ActionQuestion ActionType = "question"
	ActionInfo     ActionType = "info"
	ActionProposal ActionType = "proposal"
	ActionBlocked  ActionType = "blocked"
	ActionComplete ActionType = "complete"
)

// ActionTypes lists the action types in display order.
func ActionTypes() []ActionType {
	return []ActionType{ActionQuestion, ActionInfo, ActionProposal, ActionBlocked, ActionComplete}
}

// Message is a text from one session to others. Its Text, its Files and the
// sender's role were written by another agent and are untrusted. Pass them
// through Clean before showing them.
type Message struct {
	// ID numbers all messages of the store in the order in which they were stored.
	ID int64
	// Seq numbers the messages to one recipient within a conversation, from 1
	// without gaps. The recipient is the reader or, if there is none, the first
	// recipient.
	Seq int64
	// From is a session, System or Operator.
	From   string
	To     Recipients
	Action ActionType
	Text   string
	Files  []string
	// Redacted names the kinds of secrets that were hidden in the message.
	Redacted []string
	SentAt   time.Time
	// Redelivered marks a message that was handed out before, in an answer that
	// may not have reached its client.
	Redelivered bool
	// Read reports whether the message was delivered to the reader or, if there is
	// none, to all recipients.
	Read bool
	// ReplyTo is the ID of the message that this one answers; 0 if none.
	ReplyTo int64
	// Conversation is set in lists with messages of several conversations.
	Conversation string
}

// SendRequest holds the arguments of Send.
type SendRequest struct {
	Text string
	// To names the receiving sessions, or is Everyone. It may be empty if there is
	// only one other session.
	To []SessionID
	// Action defaults to ActionInfo.
	Action ActionType
	Files  []string
	// ReplyTo is the ID of the message in the conversation that this one answers;
	// 0 if none.
	ReplyTo int64
	// IdempotencyKey makes a repeated call return the first result and store
	// nothing. If it is empty, every call sends a new message.
	IdempotencyKey string
}

// NewMessage is a message that the store has yet to number and keep.
type NewMessage struct {
	Action   ActionType
	Text     string
	Files    []string
	Redacted []string
}

// Draft is a message that the store has yet to make, using rules called within
// the transaction that stores it.
type Draft struct {
	// ReplyTo is the ID of the message that this one answers; 0 if none.
	ReplyTo int64
	To      RecipientRule
	Text    MessageRule
}

// SendScene is what determines whether a message is accepted.
type SendScene struct {
	// Repeated reports that the idempotency key was used before. Then the other fields
	// do not matter.
	Repeated bool
	// Roster holds the sessions of the conversation.
	Roster Roster
	// Answers reports that the caller has sent or received the message that this
	// one answers.
	Answers bool
}

// Admit returns the recipients of the message and what the call costs. If the arguments
// do not fit the scene, the error is a Refusal, and the call is not charged as a
// message.
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

// Answer completes the store's result, and sets in g's details what the log keeps of
// it. many reports whether the conversation has more than two sessions.
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

// Sent is the result of Send.
type Sent struct {
	ID int64
	// Seq is the message's number in the inbox of its first recipient, Partner. The
	// other recipients are in Further.
	Seq     int64
	Further []Recipient
	// Many reports that the conversation has more than two sessions.
	Many   bool
	SentAt time.Time
	// Redacted names the kinds of secrets that were hidden.
	Redacted []string
	// Repeated reports that this is the first result for the same idempotency
	// key.
	Repeated bool
	// PartnerUnread counts the messages waiting for the first recipient, including
	// this one.
	PartnerUnread int64
	// Unread counts the messages waiting for the caller.
	Unread int64
	// Partner is the state of the first recipient, without its counts of messages, at
	// the time Now.
	Partner SessionState
	Now     time.Time
	// Shared are the files of the message that its recipients named within
	// SharedFor.
	Shared Shared
	// Standing is the caller's.
	Standing Standing
}

// ChargeFor returns what a call of g costs, given the first result for its
// idempotency key, if any. A call that was answered before costs one read.
func (g Gate) ChargeFor(repeated bool) []Charge {
	if repeated {
		return []Charge{g.Repeat}
	}
	return g.Charges
}

// sendCharges returns the charge for a message: one write for each recipient.
func (g Gate) sendCharges(repeated bool, recipients int) []Charge {
	charges := slices.Clone(g.ChargeFor(repeated))
	if !repeated {
		for i := range charges {
			charges[i].Times, charges[i].Instead = recipients, &g.Repeat
		}
	}
	return charges
}

// Recipients returns everybody who received the message.
func (s Sent) Recipients() Recipients {
	if s.Partner.Session == "" {
		return nil // no recipient is left
	}
	all := Recipients{s.Partner.Session}
	for _, r := range s.Further {
		all = append(all, r.Session)
	}
	return all
}

// seqs returns the numbers of the message in its recipients' inboxes, in the
// recipients' order.
func (s Sent) seqs() []int64 {
	all := []int64{s.Seq}
	for _, r := range s.Further {
		all = append(all, r.Seq)
	}
	return all
}

// Send stores a message for the sessions that it names, or for the caller's only
// partner. Once it returns without an error, the message survives a power
// failure.
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

// A MessageRule makes a message. tails are for redaction only: they hold the last
// TailLength characters of the sender's last message, and of its last message to
// each recipient. The rule is pure. A store calls it only after it has admitted the
// sender.
type MessageRule func(tails []string) NewMessage

// TailLength is how many characters at the end of a session's previous message
// are examined for the beginning of a secret that the next message completes.
const TailLength = 512

// messageRule returns the rule for a request. Everything that does not depend on
// the session's previous messages is done here, outside the transaction.
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

// redactAfter redacts a text that completes a secret begun in one of tails. It
// returns "" if the text does not complete any.
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

// OnceKey returns the stored form of an idempotency key. It is an HMAC, because
// an agent may put anything into the key, and redacting it could make two keys
// equal.
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

// Limits of a result with messages.
const (
	DefaultPage = 20  // messages
	MaxPage     = 100 // messages
	// PageBytes ends a page early, after at least one message, so that a result
	// fits into what clients show their model.
	PageBytes = 60_000
)

// History is a page of a conversation's past messages.
type History struct {
	// Messages are in the order in which they were stored, oldest first.
	Messages []Message
	// HasMore reports that there are earlier messages. To get them, set Before
	// to the ID of the first message.
	HasMore bool
	Unread  int64
}

// History returns messages that the caller sent or received, read or not, and
// that were stored before the message with the ID before. If before is 0, it
// returns the latest. It marks nothing read.
func (s *Service) History(ctx context.Context, c Credentials, before int64, limit int) (History, error) {
	return s.HistoryWithin(ctx, c, before, limit, PageBytes)
}

// HistoryWithin is History with pages of fewer than PageBytes bytes.
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

// PageWithin returns the page size for a requested number of bytes.
func PageWithin(bytes int) int {
	if bytes < 1 || bytes > PageBytes {
		return PageBytes
	}
	return bytes
}

// Page selects a part of a conversation.
type Page struct {
	Before int64 // only messages with a smaller ID; 0 means no limit
	Limit  int   // maximum number of messages
	Bytes  int   // maximum number of bytes of text and file names, apart from the first message
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

// Two agents that name the same file within SharedFor are told about it. Only the last
// SharedAmong messages of the other agent count, and of those only the last whose stored
// file names total SharedBytes, so that an agent that names many files does not make the
// others' messages slower.
const (
	SharedFor   = time.Hour
	SharedAmong = 200
	SharedBytes = 128 << 10
)

// Shared maps each session to the files that it named and that others named too. In
// a conversation of two, the key is "" for the only partner.
type Shared map[SessionID][]string

// With returns s with the files that another session named, without duplicates.
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

// Sessions returns the sessions that named the files, in order.
func (s Shared) Sessions() []SessionID { return slices.Sorted(maps.Keys(s)) }

// Files returns all files, without duplicates.
func (s Shared) Files() (files []string) {
	for _, other := range s.Sessions() {
		files = append(files, s[other]...)
	}
	return SharedFiles(files, files)
}

// SharedFiles returns the names that are also among others, without duplicates.
// Different spellings of a path, such as ./a.go, are the same file.
func SharedFiles(names, others []string) (shared []string) {
	found := make(map[string]bool, len(names)) // by cleaned name: whether another session named it
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
			found[clean] = false // without duplicates
		}
	}
	return shared
}

// Told forgets the files that a session was told about with its standing. The
// error is ErrUnauthorized if the caller cannot prove to be that session.
func (s *Service) Told(ctx context.Context, c Credentials, standing Standing) error {
	if proved, err := s.Proves(ctx, s.ReadGate(ctx, c, "")); err != nil || !proved {
		return cmp.Or(err, ErrUnauthorized)
	}
	return s.store.ForgetShared(ctx, c.Conversation, c.Session, standing.Shared)
}

// noSuchReply returns the refusal of a reply to a message that the caller neither
// sent nor received.
func noSuchReply() error {
	return Invalid("reply_to", "must be the message_id of a message of this conversation that you sent or were sent")
}

// RefuseInvalid returns the refusal of an operator's argument that could only be judged
// inside the transaction. For a session's argument, see Gate.Refuse.
func RefuseInvalid(op Operation, reason error) error {
	op.Details.Blame(reason)
	return &Refusal{Reason: reason, Outcome: OutcomeInvalid}
}
