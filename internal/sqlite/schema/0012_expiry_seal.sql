-- Who can write this file cannot make a conversation live longer: the end of each is
-- signed with the key of the store. The migration signs those that are there.
ALTER TABLE conversations ADD COLUMN expiry_seal BLOB NOT NULL DEFAULT x''; -- HMAC of id and expires_at
