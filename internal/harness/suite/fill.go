package suite

import (
	"fmt"

	"example.org/bridge/internal/lazyregexp"
)

// placeholder matches {{ name }}: a row of the matrix (matrix.size) or a stored result.
var placeholder = lazyregexp.New(`\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}`)

// Fill replaces the placeholders of an input. A string that consists of one placeholder
// becomes the value itself, with its type. The error names a placeholder without a value.
func Fill(v any, values map[string]any) (any, error) {
	switch v := v.(type) {
	case string:
		return fillText(v, values)
	case []any:
		filled := make([]any, len(v))
		for i := range v {
			var err error
			if filled[i], err = Fill(v[i], values); err != nil {
				return nil, err
			}
		}
		return filled, nil
	case map[string]any:
		filled := make(map[string]any, len(v))
		for key := range v {
			var err error
			if filled[key], err = Fill(v[key], values); err != nil {
				return nil, err
			}
		}
		return filled, nil
	}
	return v, nil
}

func fillText(text string, values map[string]any) (any, error) {
	var missing error
	whole := placeholder().FindStringSubmatch(text)
	if whole != nil && whole[0] == text {
		if value, ok := values[whole[1]]; ok {
			return value, nil
		}
		return nil, noValue(whole[1])
	}
	filled := placeholder().ReplaceAllStringFunc(text, func(found string) string {
		name := placeholder().FindStringSubmatch(found)[1]
		value, ok := values[name]
		if !ok {
			missing = noValue(name)
		}
		return inText(value)
	})
	return filled, missing
}

func noValue(name string) error {
	return fmt.Errorf("{{%s}} has no value: no earlier step stores it, and it is not in the matrix", name)
}
