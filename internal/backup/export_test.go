package backup

// Replace is the part of Place that follows after the old store was moved aside.
var Replace = (*Opened).replace
