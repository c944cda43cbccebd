package figures

// Figure is a value with its labels, for programs that read JSON.
type Figure struct {
	Name   string            `json:"name"`
	Kind   Kind              `json:"kind"`
	Help   string            `json:"help"`
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value"`
}

// Figures returns the values of families, in the given order.
func Figures(all []Family) []Figure {
	figures := []Figure{}
	for _, f := range all {
		for _, s := range f.Samples {
			of := map[string]string{}
			for i := 0; i+1 < len(s.Labels); i += 2 {
				of[s.Labels[i]] = s.Labels[i+1]
			}
			figures = append(figures, Figure{Name: f.Name + s.Suffix, Kind: f.Kind, Help: f.Help, Labels: of, Value: s.Value})
		}
	}
	return figures
}
