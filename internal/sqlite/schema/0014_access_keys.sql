-- Who may speak to a gateway. No key is here: proof is an HMAC under the master key, of
-- the key's secret and of all columns but revoked_at.
CREATE TABLE access_keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'viewer', 'operator')),
    proof      BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL DEFAULT 0 -- 0: it was not
) STRICT, WITHOUT ROWID;
