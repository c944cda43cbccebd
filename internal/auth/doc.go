// Package auth proves identity: it has the master key of a store, the tokens of
// sessions, and the codes that hand over a token (join codes) or find a session again
// (resume codes).
//
// Threat model: a token is an HMAC under the master key over a nonce that the store
// keeps, so a stolen copy of the database gives no access, and a stolen token gives
// access to one session of one conversation. Anyone who can read the key file can
// derive every token: it must be as private as an SSH key (file mode 0600, folder mode
// 0700).
package auth
