package ui

import (
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/view"
	"example.org/bridge/internal/words"
)

const (
	// searchedBytes is how many bytes of messages one page of a search covers: about 20,000
	// messages of forty words. Older messages are on further pages, so that a page takes
	// the same time in a store of any size. Everything else the first page searches is held
	// in memory.
	searchedBytes = 8 << 20
	// otherHits is the maximum number of results of each other kind, such as tasks and
	// files.
	otherHits = 10
)

// search searches messages, and on its first page also everything else that contains the
// words.
func (s *Server) search(r look) (content, error) {
	asked := given(r, "q")
	data := struct {
		Words   string
		Others  []other
		Found   []found
		Later   bool // not the first page
		Further string
		Reached view.Time
	}{Words: asked, Later: number(r.FormValue("before")) > 0}
	if asked == "" {
		return content{"search", "Search", data}, nil
	}
	terms, err := bridge.ParseSearch(asked)
	if err != nil {
		return content{}, err
	}
	q := bridge.SearchQuery{Terms: terms, Limit: r.rows, Before: number(r.FormValue("before")), MaxBytes: searchedBytes}
	result, err := s.Bridge.Search(r.Context(), q)
	if err != nil {
		return content{}, err
	}
	for _, f := range result.Found {
		data.Found = append(data.Found, foundOf(f))
	}
	if result.Before > 0 {
		data.Further, data.Reached = query("search", "q", asked, "before", itoa(result.Before)), view.Time(result.Reached)
	}
	if !data.Later {
		if data.Others, err = s.others(r, words.New(terms)); err != nil {
			return content{}, err
		}
	}
	return content{"search", "Search", data}, s.recordReading(r, "")
}

// other is a search result that is not a message.
type other struct {
	Kind, Page, Name string
	Excerpt          []excerpt
}

// others returns the conversations, tasks, shared files, commands and recent steps that
// contain the words.
func (s *Server) others(r look, f *words.Finder) (all []other, err error) {
	conversations, err := s.Bridge.Conversations(r.Context())
	if err != nil {
		return nil, err
	}
	for _, find := range []func(look, []bridge.Overview, func(other, ...string)) error{findConversations, s.findTasks, s.findFiles, s.findCommands, s.findSteps} {
		n := 0
		err := find(r, conversations, func(o other, texts ...string) {
			if n == max(r.share(otherHits), 1) {
				return
			}
			if marked, ok := f.Find(strings.Join(texts, "\n")); ok {
				n++
				o.Excerpt = excerptOf(bridge.Excerpt(marked))
				all = append(all, o)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func findConversations(_ look, all []bridge.Overview, add func(other, ...string)) error {
	for _, c := range all {
		texts := []string{c.ID, c.Team}
		for _, one := range c.Sessions {
			texts = append(texts, one.Role)
		}
		add(other{Kind: "conversation", Page: "conversations/" + c.ID, Name: short(c.ID)}, texts...)
	}
	return nil
}

func (s *Server) findTasks(r look, _ []bridge.Overview, add func(other, ...string)) error {
	all, err := s.Tasks.Tasks(r.Context(), false)
	for _, t := range all {
		add(other{Kind: "task", Page: "tasks/" + itoa(t.ID), Name: itoa(t.ID)}, t.Title, t.Body)
	}
	return err
}

func (s *Server) findFiles(r look, _ []bridge.Overview, add func(other, ...string)) error {
	all, err := s.Files.All(r.Context(), "")
	for _, f := range all {
		add(other{Kind: "file", Page: filePage(f, 0), Name: cleantext.CleanLine(f.Path)}, f.Path)
	}
	return err
}

func (s *Server) findCommands(r look, _ []bridge.Overview, add func(other, ...string)) error {
	all, err := s.Commands.Commands(r.Context(), commands.Query{})
	for _, c := range all {
		add(other{Kind: "command", Page: "commands?request=" + itoa(c.ID), Name: itoa(c.ID)}, c.Command)
	}
	return err
}

// findSteps searches the steps shown on the page of steps.
func (s *Server) findSteps(r look, all []bridge.Overview, add func(other, ...string)) error {
	last, err := s.lastSteps(r, all)
	for _, one := range last {
		add(other{Kind: "step", Page: "conversations/" + one.Conversation + "/steps?before=" + itoa(one.Number+1), Name: itoa(one.Number)}, one.Text)
	}
	return err
}

// found is a message found by a search.
type found struct {
	view.Message
	Excerpt []excerpt
}

// excerpt is a part of a text: one of the words, or text between them.
type excerpt struct {
	Text string
	Mark bool
}

// ends shortens a text to its beginning and its end. It is for texts with hardly any words,
// for which an excerpt would be the whole text.
func ends(text string) string {
	const most = 400 // bytes of each part
	if len(text) <= 2*most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " … " + strings.ToValidUTF8(text[len(text)-most:], "")
}

func foundOf(f bridge.Found) found {
	v := found{Message: view.OfMessage(f.Message), Excerpt: excerptOf(f.Excerpt)}
	v.ConversationID = f.Conversation
	return v
}

// excerptOf splits a text at its marks.
func excerptOf(marked string) (all []excerpt) {
	for i, part := range strings.Split(marked, bridge.MarkBegin) {
		hit, rest, ok := strings.Cut(part, bridge.MarkEnd)
		if i > 0 && ok {
			all = append(all, excerpt{ends(cleantext.Clean(hit)), true})
			part = rest
		}
		all = append(all, excerpt{ends(cleantext.Clean(part)), false})
	}
	return all
}
