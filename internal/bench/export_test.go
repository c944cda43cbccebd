package bench

// What the tests of this package look at from outside.
var (
	SpreadOf    = spreadOf
	MountOf     = mountOf
	ParseStatus = func(text string) (resident, private float64, err error) {
		m, err := parseStatus(text)
		return m.resident, m.private, err
	}
	Texts = func(seed uint64) func() string { return newTexts(seed).next }
)
