package cli

import (
	"bufio"
	"context"
	"fmt"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/view"
)

// inboxOutlet handles the messages of an inbox.
type inboxOutlet interface {
	// page is the maximum number of messages for one call of show; 0 means many.
	page() int
	// show handles messages in order. If it fails, they are not marked read.
	show(ctx context.Context, page []bridge.Message) error
	// end finishes the output after that number of messages.
	end(shown int) error
}

func newInboxOutlet(a *app, s besideAgent, c bridge.Credentials, o inboxOptions) (inboxOutlet, error) {
	overview := func(ctx context.Context) (bridge.Overview, error) {
		sessions, err := s.PeekRoster(ctx, c)
		return bridge.Overview{Conversation: bridge.Conversation{ID: c.Conversation}, Sessions: sessions}, err
	}
	switch {
	case o.exec != "":
		program, err := a.operatorProgram(o.exec)
		return &programOutlet{a, program, overview, o.markRead}, err
	case a.json && o.follow:
		return &inboxLines{a, overview}, nil
	case a.json:
		return &inboxDocument{list: newJSONList(a.stdout, "messages"), overview: overview}, nil
	}
	return &inboxText{a, bufio.NewWriter(a.stdout), a.screen(), overview}, nil
}

// overviewOf returns the present state of the conversation.
type overviewOf func(context.Context) (bridge.Overview, error)

// inboxText prints messages for people.
type inboxText struct {
	app      *app
	out      *bufio.Writer
	screen   screen
	overview overviewOf
}

func (t *inboxText) page() int { return 0 }

func (t *inboxText) show(ctx context.Context, page []bridge.Message) error {
	o, err := t.overview(ctx)
	if err != nil {
		return err
	}
	for _, m := range page {
		writeMessage(t.out, t.screen, numbered{Message: m, n: m.Seq}, o, t.app.now())
	}
	return t.out.Flush()
}

func (t *inboxText) end(shown int) error {
	if shown == 0 {
		_, _ = t.out.WriteString("There are no new messages.\n")
	}
	return t.out.Flush()
}

// inboxLines prints one JSON object per line.
type inboxLines struct {
	app      *app
	overview overviewOf
}

func (l *inboxLines) page() int { return 0 }

func (l *inboxLines) show(ctx context.Context, page []bridge.Message) error {
	o, err := l.overview(ctx)
	if err != nil {
		return err
	}
	encoder := newEncoder(l.app.stdout)
	for _, m := range page {
		if err := encoder.Encode(view.MessageOf(m, o)); err != nil {
			return err
		}
	}
	return nil
}

func (l *inboxLines) end(int) error { return nil }

// inboxDocument prints one JSON document, one page of messages at a time, because
// printed messages may be marked read before the next page is read.
type inboxDocument struct {
	list     *jsonList
	overview overviewOf
}

func (d *inboxDocument) page() int { return 0 }

func (d *inboxDocument) show(ctx context.Context, page []bridge.Message) error {
	o, err := d.overview(ctx)
	if err != nil {
		return err
	}
	for _, m := range page {
		if err := d.list.add(view.MessageOf(m, o)); err != nil {
			return err
		}
	}
	return d.list.flush()
}

func (d *inboxDocument) end(int) error { return d.list.end() }

// programOutlet runs a program for each message.
type programOutlet struct {
	app      *app
	program  fleet.Program
	overview overviewOf
	// strict makes the command end if a program fails.
	strict bool
}

func (p *programOutlet) page() int { return 1 }

func (p *programOutlet) show(ctx context.Context, page []bridge.Message) error {
	o, err := p.overview(ctx)
	if err != nil {
		return err
	}
	for _, m := range page {
		event, err := marshal(view.MessageOf(m, o))
		if err != nil {
			return err
		}
		err = p.program.Send(ctx, event)
		switch {
		case err == nil || ctx.Err() != nil && !p.strict:
		case p.strict:
			return fmt.Errorf("message %d stays unread: %w", m.Seq, err)
		default:
			p.app.log().Error("the program failed", "message_id", m.ID, "error", err)
		}
	}
	return nil
}

func (p *programOutlet) end(int) error { return nil }
