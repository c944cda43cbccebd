package stdio

// AwaitHandlers is awaitHandlers.
var AwaitHandlers = awaitHandlers
