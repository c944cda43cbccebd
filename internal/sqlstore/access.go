package sqlstore

import "example.org/bridge/internal/access"

const accessColumns = "id, name, role, proof, created_at, expires_at, revoked_at, conversations"

func listAccessKeys(c Conn, where string, args ...any) (all []access.Kept, err error) {
	var k access.Kept
	var role, conversations string
	dest := []any{&k.ID, &k.Name, &role, &k.Proof, &k.CreatedAt, &k.ExpiresAt, &k.RevokedAt, &conversations}
	err = c.Each("SELECT "+accessColumns+" FROM access_keys "+where, args, dest, func() error {
		k.Role = access.Role(role)
		k.Conversations = FromList(conversations)
		all = append(all, k)
		return nil
	})
	return all, err
}

// AccessKeys returns all access keys, oldest first.
func AccessKeys(c Conn) ([]access.Kept, error) { return listAccessKeys(c, "ORDER BY created_at, id") }

// AccessKey returns the access key with an id, or the zero value.
func AccessKey(c Conn, id string) (access.Kept, error) {
	all, err := listAccessKeys(c, "WHERE id = ?1", id)
	if err != nil || len(all) == 0 {
		return access.Kept{}, err
	}
	return all[0], nil
}

// ChangeAccessKeys implements access.Store. The caller prevents other changes of access
// keys until the transaction ends.
func ChangeAccessKeys(e Entry, rule access.Rule) (kept access.Kept, err error) {
	all, err := AccessKeys(e.SQL())
	if err != nil {
		return kept, err
	}
	if kept, err = rule(all, e.Now()); err != nil {
		return kept, err
	}
	return kept, e.SQL().Later(`
		INSERT INTO access_keys (`+accessColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (id) DO UPDATE SET revoked_at = ?7`,
		kept.ID, kept.Name, string(kept.Role), kept.Proof, kept.CreatedAt, kept.ExpiresAt, kept.RevokedAt,
		List(kept.Conversations))
}
