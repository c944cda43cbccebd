// Package auth holds the proofs of identity: the master key of a store, the
// tokens of sessions, and the join codes that hand a token over once.
//
// Threat model. A token is an HMAC under the master key over a nonce that the
// store keeps, so a stolen database file opens nothing, and a stolen token
// opens one session of one conversation. Whoever reads the key file can derive
// every token: it is as private as an SSH key (mode 0600, folder 0700).
package auth
