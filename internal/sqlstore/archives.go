package sqlstore

import "example.org/bridge/internal/audit"

// Archives returns the records of the audit log's archives, in order.
func Archives(c Conn) (all []audit.Archived, err error) {
	var a audit.Archived
	err = c.Each("SELECT first, last, mac, name, bytes, sha256, made_at, seal FROM audit_archives ORDER BY first", nil,
		[]any{&a.First, &a.Last, &a.MAC, &a.Name, &a.Bytes, &a.SHA256, &a.At, &a.Seal}, func() error {
			all = append(all, a)
			return nil
		})
	return all, err
}

// PutArchive stores the record of a further archive.
func PutArchive(c Conn, a audit.Archived) error {
	return c.Later("INSERT INTO audit_archives (first, last, mac, name, bytes, sha256, made_at, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		a.First, a.Last, a.MAC, a.Name, a.Bytes, a.SHA256, a.At, a.Seal)
}
