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

	SelectConversationLog = selectLine + selectNumbered + ofConversation + " ORDER BY o.seq LIMIT $2"
)
