package sqlstore

import (
	"time"

	"example.org/bridge/internal/bridge"
)

// Retention returns the retention times that were set.
func Retention(c Conn) (set []bridge.Retention, err error) {
	var r bridge.Retention
	var kind string
	var age int64
	err = c.Each("SELECT kind, age, set_at FROM retention ORDER BY kind", nil, []any{&kind, &age, &r.SetAt}, func() error {
		r.Kind, r.Age = bridge.Retained(kind), bridge.Forever
		if age >= 0 {
			r.Age = time.Duration(age) * time.Microsecond
		}
		set = append(set, r)
		return nil
	})
	return set, err
}

// PutRetention stores for how long the given kinds are kept.
func PutRetention(c Conn, set []bridge.Retention) error {
	for _, r := range set {
		age := int64(-1)
		if r.Age >= 0 {
			age = r.Age.Microseconds()
		}
		err := c.Later("INSERT INTO retention (kind, age, set_at) VALUES (?1, ?2, ?3) ON CONFLICT (kind) DO UPDATE SET age = ?2, set_at = ?3",
			string(r.Kind), age, r.SetAt)
		if err != nil {
			return err
		}
	}
	return nil
}

// Conditions for old rows; ?1 is the time before which they are old. Steps and changes
// are removed from the oldest on, so that the rest has no gaps. The last one is always
// kept, because the next number follows from it.
const (
	oldSteps = `number < coalesce(
		(SELECT min(k.number) FROM steps k WHERE k.conversation = steps.conversation AND k.at >= ?1),
		(SELECT max(k.number) FROM steps k WHERE k.conversation = steps.conversation))`
	oldChanges = `file_changes.version < coalesce(
		(SELECT min(k.version) FROM file_changes k WHERE k.file = file_changes.file AND k.at >= ?1),
		(SELECT max(k.version) FROM file_changes k WHERE k.file = file_changes.file))`
	oldKeys     = "idempotency_key IS NOT NULL AND sent_at < ?1"
	oldTaskKeys = "idempotency_key IS NOT NULL AND created_at < ?1"
)

// CountOld counts what is old in each conversation that has any.
func CountOld(c Conn, before bridge.Before) (map[string]bridge.Old, error) {
	found := map[string]bridge.Old{}
	for _, kind := range []struct {
		query string
		at    time.Time
		add   func(o *bridge.Old, n int64)
	}{
		{"SELECT conversation, count(*) FROM steps WHERE " + oldSteps + " GROUP BY 1", before.Steps, func(o *bridge.Old, n int64) { o.Steps += n }},
		{
			"SELECT f.conversation, count(*) FROM file_changes JOIN files f ON f.id = file_changes.file WHERE " + oldChanges + " GROUP BY 1",
			before.FileVersions, func(o *bridge.Old, n int64) { o.FileVersions += n },
		},
		{"SELECT conversation, count(*) FROM messages WHERE " + oldKeys + " GROUP BY 1", before.Keys, func(o *bridge.Old, n int64) { o.Keys += n }},
		{
			"SELECT home, count(*) FROM tasks WHERE " + oldTaskKeys + " AND home IN (SELECT id FROM conversations) GROUP BY 1",
			before.Keys, func(o *bridge.Old, n int64) { o.Keys += n },
		},
	} {
		if kind.at.IsZero() {
			continue
		}
		var conversation string
		var n int64
		err := c.Each(kind.query, []any{kind.at}, []any{&conversation, &n}, func() error {
			old := found[conversation]
			kind.add(&old, n)
			found[conversation] = old
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// ForgetOld removes what is old in the conversation of op, which must be locked, and
// sets the amounts in op's details.
func ForgetOld(c Conn, op bridge.Operation, before bridge.Before) (old bridge.Old, err error) {
	found, err := CountOld(c, before)
	if err != nil {
		return old, err
	}
	old = found[op.Conversation]
	for _, forget := range []struct {
		at         time.Time
		statements []string
	}{
		{before.Steps, []string{"DELETE FROM steps WHERE conversation = ?2 AND " + oldSteps}},
		{before.FileVersions, []string{
			"DELETE FROM file_changes WHERE file IN (SELECT id FROM files WHERE conversation = ?2) AND " + oldChanges,
			`UPDATE files SET history = (SELECT CAST(coalesce(sum(k.bytes), 0) AS bigint) FROM file_changes k WHERE k.file = files.id)
			WHERE conversation = ?2 AND CAST(?1 AS bigint) > 0`,
		}},
		{before.Keys, []string{
			"UPDATE messages SET idempotency_key = NULL WHERE conversation = ?2 AND " + oldKeys,
			"UPDATE tasks SET idempotency_key = NULL WHERE home = ?2 AND " + oldTaskKeys,
		}},
	} {
		if forget.at.IsZero() {
			continue
		}
		for _, statement := range forget.statements {
			if err := c.Later(statement, forget.at, op.Conversation); err != nil {
				return old, err
			}
		}
	}
	op.Details["file_versions"], op.Details["steps"], op.Details["idempotency_keys"] = old.FileVersions, old.Steps, old.Keys
	return old, nil
}
