package mcpserver

import (
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
)

// failureData is the structured content of a tool call that failed.
type failureData struct {
	Error             string `json:"error"`
	Message           string `json:"message"`
	RetryAfterSeconds int    `json:"retry_after_seconds,omitempty"`
	Unread            *int64 `json:"unread,omitempty"`
}

// advice is what an agent is told of an error of the domain: a code and what to
// do next.
var advice = []struct {
	err        error
	code, next string
}{
	{bridge.ErrUnauthorized, "unauthorized", "check conversation_id, session_id and token; if the conversation has expired or you lost the token, " +
		"ask your human (`bridge list`, `bridge tokens`) or create a new conversation"},
	{bridge.ErrBadJoinCode, "bad_join_code", "ask the agent that created the conversation for its join code, or for a new conversation"},
	{commands.ErrNoGrant, "no_grant", "ask your human to run `bridge yolo enable` for this conversation, if they want you to run commands"},
	{commands.ErrNoMode, "no_mode", "call enable_yolo_mode first"},
	{commands.ErrQueueFull, "queue_full", "wait until your human has decided; do not ask for more"},
	{commands.ErrDenied, "denied", "do not ask for it again; ask your human what to do instead"},
	{commands.ErrWornDown, "denied", "stop asking, and talk to your human"},
	{commands.ErrApprovalUsed, "approval_used", "nothing was run; call without approval_token to ask again"},
	{commands.ErrApprovalExpired, "approval_expired", "nothing was run; call without approval_token to ask again"},
	{commands.ErrApprovalChanged, "approval_mismatch", "nothing was run; repeat the approved call unchanged, with the approval_token if your human gave you one, or call again to ask anew"},
	{commands.ErrDecided, "decided", "nothing was run; call again to ask anew"},
	{commands.ErrNoSandbox, "no_sandbox", "nothing was run; tell your human that no sandbox works here, and that bubblewrap would"},
	{bridge.ErrNoTask, "no_such_task", "call list_tasks for those of your team"},
	{bridge.ErrTooManyTasks, "too_many_tasks", "wait until some are done, or end those that are not needed with update_task"},
	{bridge.ErrOutcomeUnknown, "outcome_unknown", "repeat the call unchanged with the same idempotency_key, which stores it once; without one, look first (get_history, list_tasks) whether it is there"},
	{bridge.ErrStoreFull, "store_full", "nothing was stored; tell your human to free disk space, then try again"},
	{bridge.ErrStoreReadOnly, "store_read_only", "nothing was stored; tell your human to run `bridge doctor`"},
	{bridge.ErrStoreBusy, "store_busy", "nothing was stored; try again in a few seconds"},
	{bridge.ErrStoreGone, "store_gone", "nothing was stored; tell your human to restart this MCP server"},
	{bridge.ErrStoreDamaged, "store_damaged", "nothing was stored; tell your human to run `bridge doctor`"},
	{bridge.ErrStoreNewer, "store_newer", "nothing was stored; tell your human to restart this MCP server with the new bridge"},
	{bridge.ErrStoreIO, "store_io", "nothing was stored; tell your human to look at the disk (`bridge doctor`, the system's log), then try again"},
	{bridge.ErrTooManyFiles, "too_many_files", "nothing was stored; try again, and tell your human to raise the limit of open files (ulimit -n) if it happens again"},
	{bridge.ErrNoMemory, "no_memory", "nothing was stored; tell your human that memory ran out, then try again"},
	{bridge.ErrNoLocks, "no_locks", "nothing was stored; tell your human that the system gives no more file locks (`bridge doctor`)"},
}

// failure words an error for the agent that has to act on it. What the domain
// does not know by name goes to the log and not to the agent.
func (s *server) failure(tool string, err error, a answer) (*mcp.CallToolResult, error) {
	data := failureData{Error: "internal", Message: "the bridge failed; nothing was changed. Try again, and tell your human if it happens again (its log has the details)"}
	var busy *bridge.BusyError
	var invalid *bridge.InvalidError
	var limited *bridge.RateLimitError
	var refused *commands.RefusedError
	switch {
	case errors.As(err, &invalid):
		data = failureData{Error: "invalid_argument", Message: err.Error()}
	case errors.As(err, &refused):
		data = failureData{Error: "refused", Message: bridge.CleanLine(err.Error())}
	case errors.As(err, &limited):
		data = failureData{Error: "rate_limited", Message: err.Error(), RetryAfterSeconds: int(limited.RetryAfter.Seconds())}
	case errors.As(err, &busy):
		data = failureData{Error: "store_busy", Message: "nothing was stored: " + busy.Error() + "; tell your human if it lasts"}
	default:
		known := false
		for _, a := range advice {
			if errors.Is(err, a.err) {
				data, known = failureData{Error: a.code, Message: a.err.Error() + ": " + a.next}, true
				break
			}
		}
		if !known {
			s.log.Error("a tool failed", "tool", tool, "error", err)
		}
	}
	text := data.Message
	if data.Unread = a.unread; a.unread != nil {
		text += "\n" + unreadLine(*a.unread)
	}
	failed, err := result(text, data, a.notes)
	if failed != nil {
		failed.IsError = true
	}
	return failed, err
}
