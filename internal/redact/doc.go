// Package redact replaces secrets in text with placeholders such as
// PASSWORD_REDACTED, before the text is stored or sent.
//
// It recognises published token formats by their prefix, named values in every
// notation that developers paste (password = …, "api_key": …, --token …), and
// structures such as PEM blocks, JWTs and URLs with a password. A value that was
// found once is hidden everywhere in the same text. The rest of the text does not
// change. Apart from the rules that an operator adds, no regular expressions are
// used, and the time is linear in the length of the text.
//
// The threat is an agent that pastes a secret by accident. A sender who wants to
// pass on a secret can always disguise it; docs/redaction.md lists what stays
// visible.
//
// The steps, and the files that implement them:
//
//	text ──> Redact (redact.go): in rounds, until nothing more is found
//	           │
//	           ├─ scan (find.go), once over the text; at each pair of characters
//	           │  with which, by table_index.go, something may begin:
//	           │    find_format   a published token      find_wrapped  on several lines
//	           │    find_structure, find_marked, find_pem, find_url, find_flag …
//	           │    find_label    a label in another language
//	           │    read_name     a name, then
//	           │      read_operator, read_sign, read_value, read_quoted, read_token:
//	           │      its value (read_token: the end of a value without quotes)
//	           │      judge_value, judge_tangle …: is it a secret?
//	           │      find_near, find_table, find_manifest: secrets near the name
//	           ├─ decodeRuns (read_encoded.go): runs of base64 and hex, and secrets
//	           │  in the text that they encode; find_context, find_checked
//	           ├─ scanShadow (read_disguise.go): the same without escapes
//	           ├─ the operator's rules (rules.go)
//	           └─ find_copies: where else do the values occur?
//	         span.go joins overlapping finds ──> placeholders in their place
//
// The prefix of a file name says what the file does: find_ finds a kind of secret,
// read_ reads a notation, judge_ decides whether a value is a secret, table_ is
// data.
package redact
