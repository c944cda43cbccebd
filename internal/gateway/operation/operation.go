// Package operation is the form of one operation of the bridge between a gateway and
// bridge itself on another machine: a POST to Path and the operation's name, with a JSON
// array of its arguments, and an Answer.
//
// Contexts, channels and this side's clock stay where they are. Of an error only what
// the other side may know goes over the wire.
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

// Path is in front of the names of operations. Its number changes when an older
// program would misunderstand.
const Path = "/api/v1/operations/"

// Answer is what comes back.
type Answer struct {
	// Results are what the operation returned, but the error.
	Results []json.RawMessage `json:"results,omitempty"`
	Failure *Failure          `json:"failure,omitempty"`
	// Now is the time of the store, when the answer was made.
	Now time.Time `json:"now,omitzero"`
	// Draining reports that the gateway ends: what waited returned early.
	Draining bool `json:"draining,omitempty"`
}

// Refusal is what comes in the place of an Answer where the gateway did not begin with
// the operation.
type Refusal struct {
	// Code is one of those below, or that of an error of the domain.
	Code    string `json:"error"`
	Message string `json:"message"`
}

// Codes of refusals.
const (
	Draining   = "draining"
	Busy       = "busy"
	Unfinished = "body" // the body did not come whole in time
	Refused    = "access_refused"
	WrongRole  = "access_role"
	Unknown    = "no_such_operation"
	Arguments  = "arguments"
)

// Failure is an error of the domain.
type Failure struct {
	// Type names an error type of the domain, of which Value is one.
	Type  string          `json:"type,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	// Text is that of a sentinel, for an error without a type.
	Text string `json:"text,omitempty"`
	// Code is the sentinel's, for programs.
	Code string `json:"code,omitempty"`
}

// known are the error types that go over the wire.
var known = []reflect.Type{
	reflect.TypeFor[bridge.InvalidError](), reflect.TypeFor[bridge.RateLimitError](), reflect.TypeFor[bridge.ExpiredError](),
	reflect.TypeFor[bridge.BusyError](), reflect.TypeFor[bridge.QuotaError](), reflect.TypeFor[claims.HeldError](),
	reflect.TypeFor[files.ConflictError](),
}

// Typed is the form of an error that has a type of the domain; nil for any other.
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

// TypedError is the error that Typed made f of; nil where it is of no known type.
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

// Blamed is all that goes over the wire of the reason of a refusal: which argument was
// at fault.
type Blamed struct {
	Argument string `json:"argument,omitempty"`
}

// Blame returns it for a reason.
func Blame(reason error) Blamed {
	var invalid *bridge.InvalidError
	if errors.As(reason, &invalid) {
		return Blamed{invalid.Field}
	}
	return Blamed{}
}

// Reason is an error with the same blame.
func (b Blamed) Reason() error { return bridge.Invalid(b.Argument, "is wrong") }
