package mcpserver

import (
	"errors"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/view"
)

// failureData is the structured content of a failed tool call.
type failureData struct {
	Error             string `json:"error"`
	Message           string `json:"message"`
	RetryAfterSeconds int    `json:"retry_after_seconds,omitempty"`
	Unread            *int64 `json:"unread,omitempty"`
	// Holder is the session that holds the claim on the requested file.
	Holder *view.Holder `json:"holder,omitempty"`
	// Version and Diff describe the current file and how it differs, if a change conflicts
	// with a later version. The diff contains text written by agents.
	Version int64  `json:"version,omitempty"`
	Diff    string `json:"diff,omitempty"`
}

// describe turns an error into a message for the agent. Unexpected errors are logged and
// not shown to the agent.
func (s *server) describe(tool string, err error) failureData {
	data := failureData{Error: "internal", Message: "the bridge failed; nothing was changed. Try again, and tell your human if it happens again (its log has the details)"}
	var busy *bridge.BusyError
	var expired *bridge.ExpiredError
	var invalid *bridge.InvalidError
	var limited *bridge.RateLimitError
	var refused *commands.RefusedError
	var content *commands.ContentError
	var held *claims.HeldError
	var conflict *files.ConflictError
	switch {
	case errors.As(err, &invalid):
		data = failureData{Error: "invalid_argument", Message: err.Error()}
	case errors.As(err, &refused):
		data = failureData{Error: "refused", Message: cleantext.CleanLine(err.Error())}
	case errors.As(err, &content):
		data = failureData{Error: "approval_mismatch", Message: content.Error() + "; nothing was run: call again to ask for a new approval"}
	case errors.As(err, &limited):
		data = failureData{Error: "rate_limited", Message: err.Error(), RetryAfterSeconds: int(limited.RetryAfter.Seconds())}
	case errors.As(err, &held):
		row, _ := advice.Of(claims.ErrHeld)
		data = failureData{Error: row.Code, Message: held.Error() + ": " + row.Agent, Holder: view.HolderOf(held)}
	case errors.As(err, &conflict):
		row, _ := advice.Of(files.ErrConflict)
		data = failureData{Error: row.Code, Message: conflict.Error() + ": " + row.Agent, Version: conflict.Version, Diff: cleantext.Clean(conflict.Diff)}
	case errors.As(err, &busy):
		data = failureData{Error: "store_busy", Message: "nothing was stored: " + busy.Error() + "; tell your human if it persists"}
	case errors.As(err, &expired):
		row, _ := advice.Of(bridge.ErrExpired)
		data = failureData{Error: row.Code, Message: expired.Error() + ": " + row.Agent}
	default:
		if row, known := advice.Of(err); known {
			data = failureData{Error: row.Code, Message: row.Err.Error() + ": " + row.ForAgent(cleantext.CleanLine(s.store))}
		} else {
			s.log.Error("a tool failed", "tool", tool, "error", err)
		}
	}
	return data
}

// failure returns the result of a failed tool call.
func (s *server) failure(tool string, err error, a answer) (*mcp.CallToolResult, error) {
	data := s.describe(tool, err)
	text := data.Message
	if data.Holder != nil {
		text += "\n" + data.Holder.Text()
	}
	if data.Diff != "" {
		text += "\nHow it differs (untrusted, each line after \"> \"):\n" + cleantext.Quote(strings.TrimSuffix(data.Diff, "\n"))
	}
	if data.Unread = a.unread; a.unread != nil {
		text += "\n" + view.Unread(*a.unread)
	}
	failed, err := result(text, data, a.notes)
	if failed != nil {
		failed.IsError = true
	}
	return failed, err
}
