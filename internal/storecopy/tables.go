package storecopy

import "strings"

// table is a table that both kinds of stores have, with the names used in a server. A
// column with the suffix "?" is Boolean there, and 0 or 1 in a file.
type table struct {
	name    string
	columns []string
}

func columns(names string) []string { return strings.Fields(names) }

// Tables that need special treatment in one kind of store or both.
const (
	state    = "store_state"
	log      = "audit_log"
	archives = "audit_archives"
	base     = "audit_base" // where the log begins: no row if it is complete
	counters = "counters"   // the last number assigned in tables whose numbers are never reused
)

// tables are all copied tables, ordered so that rows come after those that they refer
// to.
var tables = []table{
	{"store", columns("id key_check created_at")},
	{state, columns("latest slow revision")},
	{"conversations", columns("id team team_id created_at expires_at expiry_seal sessions copies")},
	{"session_status", columns(`conversation session role nonce fingerprint join_hash join_expires_at joined_at status heartbeat_at seen_at
		last_seq read_seq handed_seq claim_id claim_seq claim_until receipt_id receipt_at shared_files`)},
	{"messages", columns("id conversation sender action_type message files redacted sent_at reply_to idempotency_key")},
	{"inbox", columns("message recipient conversation seq partner_unread")},
	{"flows", columns("conversation sender recipient sent_id read_id read_at unread")},
	{"sent", columns("conversation sender message")},
	{"tasks", columns(`id team team_id home title body needs redacted state worker role last_worker note events created_at assigned_at
		updated_at ended_at idempotency_key`)},
	{"task_events", columns("id task at actor worker state note")},
	{"silences", columns("worker heartbeat_at noticed_at")},
	{"alerts", columns("id at kind conversation session team team_id role heartbeat_at open_tasks claim_id claim_until")},
	{"file_claims", columns("id team_id conversation session path shared? reason task lease taken_at")},
	{"files", columns("id conversation task path version bytes history writer created_at written_at")},
	{"file_texts", columns("file text")},
	{"file_changes", columns("file version session at action start bytes redacted removed inserted")},
	{"steps", columns("conversation number session task at text redacted")},
	{"yolo_grants", columns("conversation mode workspace device inode sandbox image network? access ask? opened_at expires_at seal")},
	{"yolo_modes", columns("conversation session mode workspace sandbox? timeout set_at")},
	{"command_requests", columns(`id conversation session command plan mode workspace device inode sandbox image network? access timeout nonce
		digest state created_at expires_at decided_at approved_until token_hash seal used_at ended_at exit_code snapshot snapshot_number`)},
	{"limits", columns("conversation kind per_minute per_hour per_day set_by set_at")},
	{"quota", columns("bytes conversations messages")},
	{"rate_limits", columns("bucket minute hour day at unlogged")},
	{"folds", columns("conversation session action logged_at count first_at")},
	{"pauses", columns("conversation since")},
	{"access_keys", columns("id name role proof created_at expires_at revoked_at conversations")},
	{"retention", columns("kind age set_at")},
	{archives, columns("first last mac name bytes sha256 made_at seal")},
	{base, columns("seq mac")},
	{log, columns("seq at conversation session action outcome details")},
	{counters, columns("name last")},
}

// counted are the tables whose numbers are never reused.
var counted = []string{"alerts", "command_requests", "file_claims"}
