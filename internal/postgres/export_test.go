package postgres

// For tests.
var (
	Quote   = quote
	Unquote = unquote

	SelectTail    = selectTail
	SelectTails   = selectTails
	SelectInbox   = selectInbox + inboxPage
	SelectHistory = selectHistory
	SelectOwn     = selectOwn
)
