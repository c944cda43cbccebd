// Package operation defines how one operation of the bridge is called through a
// gateway: a POST to Path plus the operation's name, with a JSON array of its
// arguments, is answered with an Answer or a Refusal.
//
// Contexts, channels and the caller's clock are not sent. Errors are reduced to what the
// caller may know.
package operation

import (
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
)

// Path is the prefix of the operations' paths. Its version number changes when an older
// program could misunderstand the protocol.
const Path = "/api/v1/operations/"

// Answer is the answer to an operation that was carried out, even if the operation failed.
type Answer struct {
	// Results are the operation's results, without the error.
	Results []json.RawMessage `json:"results,omitempty"`
	Failure *Failure          `json:"failure,omitempty"`
	// Now is the store's time when the answer was made.
	Now time.Time `json:"now,omitzero"`
	// Draining reports that the gateway is shutting down: a call that waited has
	// returned early.
	Draining bool `json:"draining,omitempty"`
}

// Refusal is sent instead of an Answer if the gateway did not start the operation.
type Refusal struct {
	// Code is one of the codes of this package, or that of an error of the domain.
	Code    string `json:"error"`
	Message string `json:"message"`
}

// Codes of refusals. After the first three the caller may try again.
const (
	Draining   = "draining"          // the gateway is shutting down
	Busy       = "busy"              // too many calls of this key, or too many large bodies
	Unfinished = "body"              // the body was not received completely in time
	Refused    = "access_refused"    // no valid access key
	WrongRole  = "access_role"       // the key's role does not allow the call
	Unknown    = "no_such_operation" // the gateway has no operation of that name
	Arguments  = "arguments"         // the body is not the JSON array of the operation's arguments
)

// Failure is an error of the domain as it is sent. Either Type and Value are set, or
// Text and Code.
type Failure struct {
	// Type is the name of an error type of the domain, and Value an error of that type
	// in JSON.
	Type  string          `json:"type,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	// Text is the text of a sentinel error.
	Text string `json:"text,omitempty"`
	// Code is the sentinel's code, for programs.
	Code string `json:"code,omitempty"`
}

// known are the error types that go over the wire.
var known = []reflect.Type{
	reflect.TypeFor[bridge.InvalidError](), reflect.TypeFor[bridge.RateLimitError](), reflect.TypeFor[bridge.ExpiredError](),
	reflect.TypeFor[bridge.BusyError](), reflect.TypeFor[bridge.QuotaError](), reflect.TypeFor[claims.HeldError](),
	reflect.TypeFor[files.ConflictError](),
}

// Typed returns the Failure of an error that has a type of the domain, or nil.
func Typed(err error) *Failure {
	for _, of := range known {
		target := reflect.New(reflect.PointerTo(of))
		if !errors.As(err, target.Interface()) {
			continue
		}
		value, failed := json.Marshal(target.Elem().Interface())
		if failed != nil {
			return nil
		}
		return &Failure{Type: of.String(), Value: value}
	}
	return nil
}

// TypedError returns the error that Typed was called with, or nil if its type is not
// known.
func (f *Failure) TypedError() error {
	for _, of := range known {
		if of.String() != f.Type {
			continue
		}
		value := reflect.New(of)
		if json.Unmarshal(f.Value, value.Interface()) == nil {
			err, _ := value.Interface().(error)
			return err
		}
	}
	return nil
}

// Blamed is the part of a refusal's reason that is sent: the name of the invalid argument.
type Blamed struct {
	Argument string `json:"argument,omitempty"`
}

// Blame returns the Blamed of an error.
func Blame(reason error) Blamed {
	var invalid *bridge.InvalidError
	if errors.As(reason, &invalid) {
		return Blamed{invalid.Field}
	}
	return Blamed{}
}

// Reason returns an error with the same Blamed.
func (b Blamed) Reason() error { return bridge.Invalid(b.Argument, "is wrong") }
