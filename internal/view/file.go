package view

import (
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/files"
)

// File is a shared file, without its text.
type File struct {
	// ConversationID is set for the operator only.
	ConversationID string `json:"conversation_id,omitempty"`
	Path           string `json:"path"`
	TaskID         *int64 `json:"task_id,omitempty"`
	Version        int64  `json:"version"`
	Bytes          int64  `json:"bytes"`
	// WrittenBy is the session that made the version.
	WrittenBy string `json:"written_by"`
	WrittenAt Time   `json:"written_at"`
	Trust     string `json:"trust"`
}

// FileOf returns the view of f for a session of its conversation.
func FileOf(f files.File) File {
	v := File{
		Path: cleantext.CleanLine(f.Path), Version: f.Version, Bytes: f.Bytes,
		WrittenBy: string(f.Writer), WrittenAt: Time(f.WrittenAt), Trust: untrusted,
	}
	if f.Task != 0 {
		v.TaskID = &f.Task
	}
	return v
}

// FileVersion is a change of a file that is kept.
type FileVersion struct {
	Version   int64  `json:"version"`
	WrittenBy string `json:"written_by"`
	WrittenAt Time   `json:"written_at"`
	// Action is create, write, edit or merge.
	Action string `json:"action"`
	// Removed and Inserted are in bytes.
	Removed       int64    `json:"removed"`
	Inserted      int64    `json:"inserted"`
	RedactedKinds []string `json:"redacted_kinds"`
}

// VersionOf returns the view of a change for the operator.
func VersionOf(c files.Change) FileVersion {
	return FileVersion{
		Version: c.Version, WrittenBy: string(c.Session), WrittenAt: Time(c.At), Action: string(c.Action),
		Removed: int64(len(c.Removed)), Inserted: int64(len(c.Inserted)), RedactedKinds: Kinds(c.Redacted),
	}
}
