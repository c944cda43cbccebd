package stub

import (
	"slices"
	"strings"
)

// Request is a client's request to its model, as far as the APIs agree.
type Request struct {
	// System is what the client tells the model about itself, and possibly our
	// server's instructions.
	System string
	// Tools are the names of the tools that the model may call.
	Tools []string
	// Items is the dialogue so far, oldest first.
	Items []Item
	// WantsJSON reports that the answer has to follow a schema.
	WantsJSON bool
	// Raw is the body as it was sent.
	Raw []byte

	stream bool
	code   bool // calls have to be written as code
}

// Kind is the kind of an Item.
type Kind string

// The kinds.
const (
	User   Kind = "user"   // a prompt, or context added by the client
	Spoken Kind = "model"  // a text of the model
	Called Kind = "call"   // a call by the model
	Output Kind = "result" // the result of a call
)

// Item is a part of the dialogue.
type Item struct {
	Kind Kind
	// ID and Name identify a call.
	ID, Name string
	// Text is what the model sees; for a call, its arguments.
	Text string
}

// All returns everything that the model sees: the system text and the dialogue.
func (r *Request) All() string {
	var b strings.Builder
	b.WriteString(r.System)
	for _, item := range r.Items {
		b.WriteString("\n" + item.Text)
	}
	return b.String()
}

// Said returns what the client has added after the model's last turn: results,
// prompts, and messages of hooks.
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

// result returns the result of a call. ok is false if the request does not contain it.
func (r *Request) result(call *Call) (result Result, ok bool) {
	for _, item := range slices.Backward(r.Items) {
		if item.Kind == Output && item.ID == call.ID {
			return Result(item.Text), true
		}
	}
	return "", false
}
