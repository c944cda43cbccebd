package stub

import (
	"slices"
	"strings"
)

// Request is what a client asks its model, as far as the APIs agree.
type Request struct {
	// System is what the client tells the model about itself, our server's
	// instructions perhaps among it.
	System string
	// Tools are the names of the tools that the model may call.
	Tools []string
	// Items is the dialogue so far, the oldest first.
	Items []Item
	// WantsJSON is set where the answer has to follow a schema.
	WantsJSON bool
	// Raw is the body as it was sent.
	Raw []byte

	stream bool
	code   bool // calls are to be written as code
}

// Kind is the kind of an Item.
type Kind string

// The kinds.
const (
	User   Kind = "user"   // a prompt, or context that the client adds
	Spoken Kind = "model"  // what the model said
	Called Kind = "call"   // a call that the model made
	Output Kind = "result" // the result of a call
)

// Item is a part of the dialogue.
type Item struct {
	Kind Kind
	// ID and Name are those of the call.
	ID, Name string
	// Text is what the model sees; of a call its arguments.
	Text string
}

// All is the whole of what the model sees: system text and dialogue.
func (r *Request) All() string {
	var b strings.Builder
	b.WriteString(r.System)
	for _, item := range r.Items {
		b.WriteString("\n" + item.Text)
	}
	return b.String()
}

// Said is what came from the client after the model's last turn: results,
// prompts, and what hooks added.
func (r *Request) Said() string {
	var said []string
	for _, item := range slices.Backward(r.Items) {
		if item.Kind == Spoken || item.Kind == Called {
			break
		}
		said = append(said, item.Text)
	}
	slices.Reverse(said)
	return strings.Join(said, "\n")
}

// result finds what came of a call. ok is false where the request has no result of it.
func (r *Request) result(call *Call) (result Result, ok bool) {
	for _, item := range slices.Backward(r.Items) {
		if item.Kind == Output && item.ID == call.ID {
			return Result(item.Text), true
		}
	}
	return "", false
}
