package ui

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/view"
)

// conversations shows the list of conversations, newest first.
func (s *Server) conversations(r look) (content, error) {
	all, err := s.Bridge.Conversations(r.Context())
	if err != nil {
		return content{}, err
	}
	now, unseen := s.Now(), s.unseen()
	show, words := given(r, "show"), given(r, "q")
	chosen := slices.DeleteFunc(slices.Clone(all), func(c bridge.Overview) bool {
		return show == "live" && c.Expired(now) || show == "unread" && c.Sessions.Unread() == 0 || show == "new" && unseen[c.ID].Messages == 0 || !mentions(c, words)
	})
	part, p := paged(r, chosen, "conversations", "show", show, "q", words)
	return content{"conversations", "Conversations", struct {
		Show, Words   string
		All           int
		Conversations []listed
		Pager         pager
	}{show, words, len(all), listedOf(part, unseen, now), p}}, nil
}

// listed is a row of the list: a conversation and how many of its messages the operator has
// not seen.
type listed struct {
	view.Conversation
	New int64
}

func listedOf(all []bridge.Overview, unseen map[string]summary.Unseen, now time.Time) []listed {
	rows := make([]listed, len(all))
	for i, c := range view.OfConversations(all, now) {
		rows[i] = listed{c, unseen[all[i].ID].Messages}
	}
	return rows
}

// mentions reports whether a conversation's id, team or roles contain the words, ignoring
// case.
func mentions(c bridge.Overview, words string) bool {
	words = strings.ToLower(words)
	if strings.Contains(strings.ToLower(c.ID+"\n"+c.Team+"\n"+c.TeamID), words) {
		return true
	}
	return slices.ContainsFunc(c.Sessions, func(s bridge.SessionState) bool {
		return strings.Contains(strings.ToLower(s.Role), words)
	})
}

const (
	// A page of a transcript shows at most pageMessages messages and about pageBytes of
	// text, but always at least one message.
	pageMessages = 50
	pageBytes    = 96 << 10
	// longMessage is how much of a message the transcript shows, in bytes.
	longMessage = 6 << 10
)

// shown is a message of a transcript, possibly shortened.
type shown struct {
	view.Message
	Cut bool
}

// transcript shows one conversation, starting with its last messages. Viewing it is
// recorded in the log, unless the request is a live update of an open page.
func (s *Server) transcript(r look) (content, error) {
	o, err := s.Bridge.Conversation(r.Context(), r.PathValue("id"))
	if err != nil {
		return content{}, err
	}
	before := number(r.FormValue("before"))
	most := min(pageMessages, r.rows)
	all, err := s.Bridge.MessagesBefore(r.Context(), o.ID, before, most+1)
	if err != nil {
		return content{}, err
	}
	if err := s.recordReading(r, o.ID); err != nil {
		return content{}, err
	}
	messages, more := lastOf(all, o, most)
	data := struct {
		Conversation view.Conversation
		Messages     []shown
		Earlier      string
		Live         bool
	}{Conversation: view.OfConversation(o, s.Now()), Messages: messages, Live: before == 0}
	if more {
		data.Earlier = query("conversations/"+o.ID, "before", itoa(messages[0].MessageID))
	}
	return content{"transcript", titleOf(data.Conversation), data}, nil
}

// titleOf names a conversation after the roles of its participants.
func titleOf(c view.Conversation) string {
	const most = 4
	roles := make([]string, 0, most)
	for _, one := range c.Sessions[:min(len(c.Sessions), most)] {
		role, _ := cut(one.Role, 60)
		roles = append(roles, role)
	}
	title := strings.Join(roles, ", ")
	if n := len(c.Sessions) - most; n > 0 {
		title += " and " + itoa(int64(n)) + " more"
	}
	return title
}

// recordReading records that the operator viewed a conversation.
func (s *Server) recordReading(r look, id string) error {
	s.turn.Lock()
	s.looked[id] = s.Now()
	s.turn.Unlock()
	if r.again || r.Header.Get("Bridge-Live") != "" {
		return nil
	}
	return s.Bridge.RecordReading(r.Context(), id)
}

// lastOf returns the last messages that fit on a page, and whether there are more before
// them.
func lastOf(all []bridge.Message, o bridge.Overview, most int) (messages []shown, more bool) {
	size := 0
	for _, m := range slices.Backward(all) {
		v := shown{Message: view.MessageOf(m, o)}
		v.Message.Message, v.Cut = cut(v.Message.Message, longMessage)
		size += len(v.Message.Message)
		if len(messages) == most || len(messages) > 0 && size > pageBytes {
			more = true
			break
		}
		messages = append(messages, v)
	}
	slices.Reverse(messages)
	return messages, more
}

// cut shortens a text to at most n bytes without splitting a character.
func cut(text string, n int) (string, bool) {
	if len(text) <= n {
		return text, false
	}
	return strings.ToValidUTF8(text[:n], ""), true
}

// message shows one message, shortened only if it does not fit on a page.
func (s *Server) message(r look) (content, error) {
	id := number(r.PathValue("id"))
	o, err := s.Bridge.Conversation(r.Context(), r.FormValue("in"))
	if err != nil {
		return content{}, err
	}
	found, err := s.Bridge.Messages(r.Context(), o.ID, id-1, 1)
	if err != nil {
		return content{}, err
	}
	if len(found) == 0 || found[0].ID != id {
		return content{}, bridge.ErrNotFound
	}
	if err := s.recordReading(r, o.ID); err != nil {
		return content{}, err
	}
	data := struct {
		Conversation view.Conversation
		Message      shown
		Cut          bool
	}{Conversation: view.OfConversation(o, s.Now()), Message: shown{Message: view.MessageOf(found[0], o)}}
	text := &data.Message.Message.Message
	*text, data.Cut = r.cut(*text, maxPage)
	return content{"message", "Message " + itoa(id), data}, nil
}

func (s *Server) pause(r *http.Request) (string, error) {
	id := r.PathValue("id")
	_, err := s.Bridge.Pause(r.Context(), id)
	return "conversations/" + id, err
}

func (s *Server) resume(r *http.Request) (string, error) {
	id := r.PathValue("id")
	_, err := s.Bridge.Resume(r.Context(), id)
	return "conversations/" + id, err
}
