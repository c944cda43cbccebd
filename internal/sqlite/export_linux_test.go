package sqlite

// NetworkFilesystems is networkFilesystems.
var NetworkFilesystems = networkFilesystems
