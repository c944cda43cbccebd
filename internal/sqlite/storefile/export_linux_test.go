package storefile

// NetworkFilesystems is networkFilesystems.
var NetworkFilesystems = networkFilesystems
