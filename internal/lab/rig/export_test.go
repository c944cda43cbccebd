package rig

// Exports for the tests of this package.
var (
	MountOf     = mountOf
	ParseStatus = func(text string) (resident, private float64, err error) {
		m, err := parseStatus(text)
		return m.Resident, m.Private, err
	}
)
