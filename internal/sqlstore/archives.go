package sqlstore

import "example.org/bridge/internal/audit"

// Archives reads what is known of the archives of the audit log, in order.
func Archives(c Conn) (all []audit.Archived, err error) {
	var a audit.Archived
	err = c.Each("SELECT first, last, mac, name, bytes, sha256, made_at, seal FROM audit_archives ORDER BY first", nil,
		[]any{&a.First, &a.Last, &a.MAC, &a.Name, &a.Bytes, &a.SHA256, &a.At, &a.Seal}, func() error {
			all = append(all, a)
			return nil
		})
	return all, err
}

// PutArchive keeps what is known of another one.
func PutArchive(c Conn, a audit.Archived) error {
	return c.Later("INSERT INTO audit_archives (first, last, mac, name, bytes, sha256, made_at, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		a.First, a.Last, a.MAC, a.Name, a.Bytes, a.SHA256, a.At, a.Seal)
}
