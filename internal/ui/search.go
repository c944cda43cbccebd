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
	// searchedBytes is how much of messages a page of a search looks at: about 20,000 of
	// forty words. What is older is on further pages, so that messages take a page as long
	// in a store of any size. All else that the first page looks at is in memory at once.
	searchedBytes = 8 << 20
	// otherHits is how many tasks, files and so on a search shows of each.
	otherHits = 10
)

// search looks for messages, and on its first page for all else that holds the words.
func (s *Server) search(r look) (content, error) {
	asked := given(r, "q")
	data := struct {
		Words   string
		Others  []other
		Found   []found
		Later   bool // this is not the first page
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

// other is something that is not a message and holds the words.
type other struct {
	Kind, Page, Name string
	Excerpt          []excerpt
}

// others are the conversations, tasks, shared files, commands and last steps that hold the
// words.
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

// findSteps looks at the steps that the page of steps shows.
func (s *Server) findSteps(r look, all []bridge.Overview, add func(other, ...string)) error {
	last, err := s.lastSteps(r, all)
	for _, one := range last {
		add(other{Kind: "step", Page: "conversations/" + one.Conversation + "/steps?before=" + itoa(one.Number+1), Name: itoa(one.Number)}, one.Text)
	}
	return err
}

// found is a message that a search found.
type found struct {
	view.Message
	Excerpt []excerpt
}

// excerpt is a part of a text, which is one of the words or stands between them.
type excerpt struct {
	Text string
	Mark bool
}

// ends shortens a text that has hardly any words, which an excerpt holds whole, to its
// beginning and its end.
func ends(text string) string {
	const most = 400 // bytes of each
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

// excerptOf divides a text with marks.
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
