package bench

// Exports for the tests of this package.
var Texts = func(seed uint64) func() string { return newTexts(seed).next }
