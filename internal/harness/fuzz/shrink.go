package fuzz

import (
	"maps"
	"math"
	"slices"
)

// shrink tries smaller and smaller arguments as long as again reports that they fail in the
// same way, at most the given number of times.
func shrink(made map[string]any, most int, again func(map[string]any) (bool, error)) error {
	for better := true; better; {
		better = false
		for _, smaller := range members(made) {
			if most--; most < 0 {
				return nil
			}
			ok, err := again(smaller)
			if err != nil {
				return err
			}
			if ok {
				made, better = smaller, true
				break
			}
		}
	}
	return nil
}

// members returns variants of the arguments without one member, or with a smaller one.
func members(made map[string]any) (all []map[string]any) {
	names := slices.Sorted(maps.Keys(made))
	for _, name := range names {
		less := maps.Clone(made)
		delete(less, name)
		all = append(all, less)
	}
	for _, name := range names {
		for _, value := range smaller(made[name]) {
			less := maps.Clone(made)
			less[name] = value
			all = append(all, less)
		}
	}
	return all
}

// smaller returns simpler values of the same type, simplest first.
func smaller(value any) (all []any) {
	switch v := value.(type) {
	case string:
		runes := []rune(v)
		n := len(runes)
		if n == 0 {
			return nil
		}
		for _, part := range [][]rune{nil, runes[:n/2], runes[n/2:], runes[1:], runes[:n-1]} {
			if len(part) < n {
				all = append(all, string(part))
			}
		}
	case float64:
		for _, n := range []float64{0, 1, math.Trunc(v / 2), math.Trunc(v)} {
			if math.Abs(n) < math.Abs(v) {
				all = append(all, n)
			}
		}
	case []any:
		for i := range v {
			all = append(all, slices.Delete(slices.Clone(v), i, i+1))
		}
	case map[string]any:
		for _, less := range members(v) {
			all = append(all, less)
		}
	}
	return all
}
