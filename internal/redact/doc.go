// Package redact replaces secrets in text by placeholders such as
// PASSWORD_REDACTED, before anything is stored or sent on.
//
// It knows published token formats by their prefix, named values in every
// notation developers paste (password = …, "api_key": …, --token …), and
// structures such as PEM blocks, JWTs and URLs with a password. What it found
// once it hides everywhere in the same text. Outside of what it hides nothing
// changes. Nothing here uses a regular expression, but for the rules that an
// operator adds, and the time is linear in the length of the text.
//
// The threat it answers: an agent pastes a secret without meaning to. A sender
// who wants a secret to pass can always spell it backwards; docs/redaction.md
// lists what stays visible.
//
// The way of a text, and the files that each step is in:
//
//	text ──> Redact (redact.go): look until nothing is found
//	           │
//	           ├─ scan (find.go), once over the text; at each pair of characters
//	           │  that table_index.go says may begin something:
//	           │    find_format   a published token      find_wrapped  in several lines
//	           │    find_structure, find_marked, find_pem, find_url, find_flag …
//	           │    find_label    a label in another language
//	           │    read_name     a name, then
//	           │      read_operator, read_sign, read_value, read_quoted, read_token:
//	           │      its value (read_token: where one without quotes ends)
//	           │      judge_value, judge_tangle …: is it a secret?
//	           │      find_near, find_table, find_manifest: or what stands around it
//	           ├─ decodeRuns (read_encoded.go): runs of base64 and hex; text
//	           │  inside is looked at as well; find_context, find_checked
//	           ├─ scanShadow (read_disguise.go): the same without escapes
//	           ├─ an operator's rules (rules.go)
//	           └─ find_copies: where else do the values stand?
//	         span.go joins what overlaps ──> placeholders in its place
//
// A file's name says its part: find_ finds a kind of secret, read_ reads a
// notation, judge_ decides whether a value is a secret, table_ is data.
package redact
