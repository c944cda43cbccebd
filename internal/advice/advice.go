// Package advice is the table of what to say about each error of the bridge: the
// code and the next step for an agent, the next step for the operator, the exit
// code of a command, and the HTTP status.
//
// The table holds every sentinel error that a caller of the bridge can get; a
// test compares it with the packages' sources.
package advice

import (
	"errors"
	"net/http"
	"strings"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/rolesocket"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// Row describes what to do about one error. Its texts follow the error's own
// text; an empty text means that the error says enough.
type Row struct {
	// Err is the sentinel error. The row applies to errors that match it by
	// errors.Is.
	Err error
	// Code identifies the error for programs, in the data of a tool's result.
	Code string
	// Agent is the next step for an agent.
	Agent string
	// Operator is the next step for a person at a terminal.
	Operator string
	// Exit is the exit code of a command that fails with the error.
	Exit int
	// Status is the HTTP status of a request that fails with the error.
	Status int
}

// storeName is the placeholder in Agent for the name of the caller's store.
const storeName = "{store}"

// ForAgent returns Agent with the name of the agent's store, which may be "".
func (r Row) ForAgent(store string) string {
	if store != "" {
		store = " (" + store + ")"
	}
	return strings.ReplaceAll(r.Agent, storeName, store)
}

// Of returns the row of an error. It returns false if the table has none, which
// means a failure of the bridge itself.
func Of(err error) (Row, bool) {
	for _, row := range table {
		if errors.Is(err, row.Err) {
			return row, true
		}
	}
	return Row{Code: "internal", Exit: ExitFailure, Status: http.StatusInternalServerError}, false
}

// Sentinel returns the error of the table that has this text, or nil if there
// is none.
func Sentinel(text string) error {
	for _, row := range table {
		if row.Err.Error() == text {
			return row.Err
		}
	}
	return nil
}

const (
	nothingStored = "nothing was stored; "
	nothingRun    = "nothing was run; "
	freshCode     = "ask the agent that created the conversation to call extend_conversation, which returns a new code if nobody has joined yet"
)

// table is searched in order: an error may match two rows.
var table = []Row{
	// Sessions and conversations.
	{
		bridge.ErrOutOfBounds, "out_of_bounds",
		nothingStored + "work only in the conversations that your key is for, or ask your human for a key that includes this one",
		"`bridge access list` shows what each key is for; `bridge access add --conversations` makes another key", ExitUnauthorized, http.StatusForbidden,
	},
	{
		bridge.ErrUnauthorized, "unauthorized",
		"check conversation_id, session_id and token; if the conversation has expired or you lost the token, " +
			"ask your human (`bridge list`, `bridge tokens`) or create a new conversation",
		"`bridge tokens` prints the tokens of a conversation", ExitUnauthorized, http.StatusUnauthorized,
	},
	{
		bridge.ErrExpired, "expired", "create a new conversation, or ask your human to run `bridge extend`",
		"`bridge extend` brings it back", ExitExpired, http.StatusGone,
	},
	{
		bridge.ErrExpiryMoved, "expiry_moved", nothingStored + "tell your human to run `bridge extend` for this conversation, which sets a new end",
		"find out what writes the store's file; then `bridge extend` sets a new end", ExitRefused, http.StatusConflict,
	},
	{
		bridge.ErrBadJoinCode, "bad_join_code", "are both agents on the same store" + storeName + "? If so, ask the agent that created the conversation for a new join code",
		"", ExitUnauthorized, http.StatusForbidden,
	},
	{
		bridge.ErrPaused, "paused", "wait until your human ends the pause; check_messages still works",
		"`bridge resume` ends it", ExitFailure, http.StatusLocked,
	},
	{
		bridge.ErrAllPaused, "paused", "nothing was created; wait until your human ends the pause; check_messages still works in existing conversations",
		"`bridge resume --all` ends it", ExitFailure, http.StatusLocked,
	},
	{bridge.ErrJoinCodeUsed, "join_code_used", freshCode, "", ExitUnauthorized, http.StatusForbidden},
	{bridge.ErrJoinCodeExpired, "join_code_expired", freshCode, "", ExitUnauthorized, http.StatusForbidden},
	{bridge.ErrNoResource, "no_such_resource", "call resources/list for the resources that you may read", "", ExitNotFound, http.StatusNotFound},
	{bridge.ErrNotFound, "no_such_conversation", "check conversation_id", "`bridge list` lists the conversations", ExitNotFound, http.StatusNotFound},

	// Tasks.
	{tasks.ErrNoTask, "no_such_task", "call list_tasks for your team's tasks", "`bridge tasks --all` lists all tasks", ExitNotFound, http.StatusNotFound},
	{
		tasks.ErrTooMany, "too_many_tasks", "wait until some tasks are done, or end unneeded ones with update_task",
		"", ExitFailure, http.StatusConflict,
	},

	// Claims on files.
	{
		claims.ErrHeld, "claimed", "nothing was changed; work on something else, ask the holder with send_to_partner, or try again when the claim has ended",
		"", ExitFailure, http.StatusConflict,
	},
	{claims.ErrNotHeld, "no_such_claim", "nothing was released; pass the path under which the file was claimed", "", ExitNotFound, http.StatusNotFound},
	{bridge.ErrFull, "conversation_full", "open a second conversation, with the same team", "", ExitFailure, http.StatusConflict},
	{claims.ErrTooMany, "too_many_claims", "call release_file for files that you are done with, or claim many files with one pattern", "", ExitFailure, http.StatusConflict},
	{claims.ErrNoTask, "no_such_task", "omit task_id, or call list_tasks for your tasks", "", ExitNotFound, http.StatusNotFound},
	{claims.ErrNoClaim, "no_such_claim", "nothing was released", "`bridge claims list` lists the claims", ExitNotFound, http.StatusNotFound},

	// Shared files.
	{
		files.ErrConflict, "conflict", "nothing was written; read the file again with file_read, and change the current version",
		"", ExitFailure, http.StatusConflict,
	},
	{
		files.ErrNoFile, "no_such_file", "call file_read without path for a list of the files; file_write without version creates one",
		"`bridge files list` lists the files", ExitNotFound, http.StatusNotFound,
	},
	{
		files.ErrNoVersion, "no_such_version", "omit version to get the latest one",
		"`bridge files history` lists the versions that are kept", ExitNotFound, http.StatusNotFound,
	},
	{files.ErrTooMany, "files_full", "nothing was written; add to existing files, or open a second conversation", "", ExitFailure, http.StatusConflict},
	{files.ErrTooLarge, "files_full", "nothing was written; shorten a file that is no longer needed, or open a second conversation", "", ExitFailure, http.StatusConflict},
	{files.ErrNoTask, "no_such_task", "omit task_id, or call list_tasks for the open tasks", "", ExitNotFound, http.StatusNotFound},

	// Steps.
	{steps.ErrNoTask, "no_such_task", "nothing was logged; omit task_id, or call list_tasks for the open tasks", "", ExitNotFound, http.StatusNotFound},

	// Access keys of gateways.
	{
		access.ErrRefused, "access_refused", "tell your human: the key is unknown to this gateway, revoked or expired",
		"`bridge access list` lists the keys", ExitUnauthorized, http.StatusUnauthorized,
	},
	{access.ErrRole, "access_role", "tell your human", "`bridge access list` shows the roles", ExitUnauthorized, http.StatusForbidden},
	{access.ErrNoSuchKey, "no_such_key", "", "`bridge access list` lists the keys", ExitNotFound, http.StatusNotFound},

	// Sockets for other users of the machine.
	{rolesocket.ErrRefused, "role_refused", "tell your human", "`bridge access serve --help` lists what each role may do", ExitUnauthorized, http.StatusForbidden},
	{rolesocket.ErrNotAllowed, "role_unknown", "tell your human", "ask the store's owner to add you to the group, then log in again", ExitUnauthorized, http.StatusForbidden},
	{rolesocket.ErrNotOffered, "role_not_offered", "tell your human", "the store's owner starts it with `bridge access serve`", ExitNotFound, http.StatusServiceUnavailable},
	{rolesocket.ErrTaken, "role_socket_taken", "tell your human", "stop that process, or pass another --folder", ExitRefused, http.StatusConflict},
	{rolesocket.ErrUntrusted, "role_socket_untrusted", "tell your human", "ask the store's owner which socket is theirs", ExitRefused, http.StatusBadGateway},

	// Commands.
	{
		commands.ErrNoGrant, "no_grant", "ask your human to run `bridge yolo enable` for this conversation, if they want you to run commands",
		"`bridge yolo status` lists the grants", ExitNotFound, http.StatusForbidden,
	},
	{commands.ErrNoMode, "no_mode", "call enable_yolo_mode first", "", ExitFailure, http.StatusConflict},
	{commands.ErrQueueFull, "queue_full", "wait until your human has decided, and do not request more", "", ExitFailure, http.StatusConflict},
	{commands.ErrDenied, "denied", "do not request it again; ask your human what to do instead", "", ExitFailure, http.StatusForbidden},
	{commands.ErrTooManyDenied, "denied", "make no more requests, and talk to your human", "", ExitFailure, http.StatusForbidden},
	{commands.ErrApprovalUsed, "approval_used", nothingRun + "call without approval_token to ask again", "", ExitFailure, http.StatusConflict},
	{commands.ErrApprovalExpired, "approval_expired", nothingRun + "call without approval_token to ask again", "", ExitFailure, http.StatusConflict},
	{
		commands.ErrApprovalChanged, "approval_mismatch",
		nothingRun + "repeat the approved call unchanged, with the approval_token if your human gave you one, or call again to ask for a new approval",
		"", ExitFailure, http.StatusConflict,
	},
	{commands.ErrDecided, "decided", nothingRun + "call again to ask for a new approval", "`bridge yolo status` lists the pending requests", ExitNotFound, http.StatusConflict},
	{
		commands.ErrNoSandbox, "no_sandbox", nothingRun + "tell your human that no sandbox works here, and that bubblewrap has to be installed",
		"install bubblewrap, or open the conversation with --unsandboxed if you trust what will run", ExitFailure, http.StatusServiceUnavailable,
	},
	{commands.ErrNoRequest, "no_such_request", nothingRun + "call again to ask for a new approval", "`bridge yolo status --all` lists all requests", ExitNotFound, http.StatusNotFound},
	{commands.ErrNoSnapshot, "no_such_snapshot", nothingRun, "`bridge yolo status --all` lists the commands that were run", ExitNotFound, http.StatusNotFound},
	{commands.ErrNotConfirmed, "not_confirmed", "ask your human", "", ExitNotConfirmed, http.StatusForbidden},

	{
		bridge.ErrQuota, "quota_reached",
		nothingStored + "reading and ending tasks still work; ask your human to run `bridge cleanup`, or to allow more with `bridge limits set`",
		"`bridge limits` shows what is full: run `bridge cleanup`, or allow more with `bridge limits set --max-…`",
		ExitFailure, http.StatusInsufficientStorage,
	},

	// The store and its files. An unknown outcome comes first, because it wraps its
	// cause.
	{
		bridge.ErrOutcomeUnknown, "outcome_unknown",
		"repeat the call unchanged with the same idempotency_key, which stores it only once; without one, check first (get_history, list_tasks) whether it was stored",
		"check whether it was stored before you repeat it, and check the disk or the connection to the server", ExitFailure, http.StatusBadGateway,
	},
	{
		bridge.ErrAnswerLost, "outcome_unknown",
		"repeat send_to_partner and assign_task unchanged, which stores them only once; for anything else, check first (get_history, list_conversations) whether it was stored",
		"check whether it was stored before you repeat it", ExitFailure, http.StatusBadGateway,
	},
	{
		bridge.ErrGatewayAway, "gateway_away", "nothing was stored, and no message is lost: try again in a few seconds; if that does not help, tell your human that bridge cannot reach its gateway",
		"is `bridge gateway` running where the store is, and can this machine reach it?", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrGatewayForeign, "gateway_foreign", "nothing was sent: tell your human",
		"either the store was replaced, or somebody intercepts the connection: `bridge access add --gateway` on the store's machine prints a new join string", ExitRefused, http.StatusBadGateway,
	},
	{
		bridge.ErrGatewayVersion, "gateway_version", "nothing was stored: tell your human to update bridge here and at the gateway",
		"`bridge version` must print the same on both machines", ExitRefused, http.StatusNotImplemented,
	},
	{
		bridge.ErrStoreEmpty, "store_empty", "tell your human to run `bridge doctor`",
		"it was truncated or never written: restore a copy, or remove the file to start with an empty store", ExitRefused, http.StatusServiceUnavailable,
	},
	{bridge.ErrStoreMissing, "no_store", "tell your human to run `bridge doctor`", "`bridge serve` creates it when first run; --db selects another store", ExitNoStore, http.StatusServiceUnavailable},
	{bridge.ErrStoreForeign, "store_foreign", "tell your human to run `bridge doctor`", "it was not changed; select another file with --db", ExitRefused, http.StatusServiceUnavailable},
	{bridge.ErrStoreNewer, "store_newer", nothingStored + "tell your human to restart this MCP server with the newer bridge", "", ExitRefused, http.StatusServiceUnavailable},
	{bridge.ErrStoreMoved, "store_moved", nothingStored + "tell your human to restart this MCP server with the store that replaced it", "", ExitRefused, http.StatusServiceUnavailable},
	{bridge.ErrCutElsewhere, "cut_elsewhere", "tell your human", "run `bridge audit archive` again with another file, so that it begins where the log begins now", ExitRefused, http.StatusConflict},
	{bridge.ErrStoreNotMoved, "store_not_moved", "tell your human", "", ExitRefused, http.StatusConflict},
	{bridge.ErrStorePermissions, "store_permissions", "tell your human to run `bridge doctor`", "", ExitRefused, http.StatusServiceUnavailable},
	{bridge.ErrStoreKey, "store_key", "tell your human to run `bridge doctor`", "", ExitRefused, http.StatusServiceUnavailable},
	{privatefile.ErrOpenToOthers, "not_private", "tell your human to run `bridge doctor`", "", ExitRefused, http.StatusServiceUnavailable},
	{
		keyfile.ErrNoKey, "no_key", "tell your human to run `bridge doctor`",
		"restore the key that was created with the store; without it no token can be checked", ExitRefused, http.StatusServiceUnavailable,
	},
	{auth.ErrBadKey, "bad_key", "tell your human to run `bridge doctor`", "restore the key that was created with the store", ExitRefused, http.StatusServiceUnavailable},
	{
		bridge.ErrStoreFull, "store_full", nothingStored + "tell your human to free disk space, then try again",
		"nothing was stored; free disk space and try again", ExitFailure, http.StatusInsufficientStorage,
	},
	{
		bridge.ErrStoreReadOnly, "store_read_only", nothingStored + "tell your human to run `bridge doctor`",
		"make the store and its folder writable by you", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrStoreUnreachable, "store_unreachable", nothingStored + "try again in a few seconds; if that does not help, tell your human that the database server does not answer",
		"is the database server running, and can this machine reach it?", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrStoreRefused, "store_refused", nothingStored + "tell your human that the database server refuses the connection",
		"check user, password and grants: `bridge store init --role` grants what a process needs", ExitRefused, http.StatusServiceUnavailable,
	},
	{bridge.ErrStoreBusy, "store_busy", nothingStored + "try again in a few seconds", "try again", ExitFailure, http.StatusServiceUnavailable},
	{
		bridge.ErrStoreGone, "store_gone", nothingStored + "tell your human to restart this MCP server",
		"run the command again; stop all bridge processes before you move or restore a store", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrStoreDamaged, "store_damaged", nothingStored + "tell your human to run `bridge doctor`",
		"stop all bridge processes, make a copy of the store, and run `bridge doctor`", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrStoreIO, "store_io", nothingStored + "tell your human to check the disk (`bridge doctor`, the system's log), then try again",
		"nothing was stored; check the disk and the system's log (dmesg)", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrTooManyFiles, "too_many_files",
		nothingStored + "try again, and tell your human to raise the limit of open files (ulimit -n) if it happens again",
		"raise the limit of open files (ulimit -n), or end programs that hold many", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrNoMemory, "no_memory", nothingStored + "tell your human that memory ran out, then try again",
		"end other programs, or raise the memory limit (ulimit -v, or the container's)", ExitFailure, http.StatusServiceUnavailable,
	},
	{
		bridge.ErrNoLocks, "no_locks", nothingStored + "tell your human that the system has no more file locks available (`bridge doctor`)",
		"either the filesystem does not support locks, or the system has run out of them: keep the store on a local disk", ExitFailure, http.StatusServiceUnavailable,
	},
}
