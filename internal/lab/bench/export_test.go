package bench

// What the tests of this package look at from outside.
var Texts = func(seed uint64) func() string { return newTexts(seed).next }
