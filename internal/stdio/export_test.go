package stdio

// AwaitHandlers exports awaitHandlers for tests.
var AwaitHandlers = awaitHandlers
