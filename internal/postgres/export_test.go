package postgres

// For tests.
var (
	Quote   = quote
	Unquote = unquote
)
