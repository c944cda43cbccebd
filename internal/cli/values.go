package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Kinds of values, as shown in help. They also determine the TOML type in the
// configuration file: a boolean, a whole number, or text.
const (
	kindBool   = "bool"
	kindNumber = "number"
	kindText   = "text"
	kindPath   = "path"
	kindAge    = "age"
)

// value is the value of a flag. Unlike those of pflag, its errors say what is accepted
// and never repeat the given value.
type value[T any] struct {
	dest   *T
	parse  func(string) (T, error)
	format func(T) string
	kind   string
}

func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		return err
	}
	*v.dest = parsed
	return nil
}

func (v *value[T]) String() string { return v.format(*v.dest) }
func (v *value[T]) Type() string   { return v.kind }

func boolFlag(fs *pflag.FlagSet, dest *bool, name, usage string) {
	fs.Var(&value[bool]{dest, parseBool, strconv.FormatBool, kindBool}, name, usage)
	fs.Lookup(name).NoOptDefVal = "true"
}

func parseBool(text string) (bool, error) {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return b, nil
}

// numberFlag defines a flag for a whole number from 0, which means no limit.
func numberFlag(fs *pflag.FlagSet, dest *int, name, usage string) {
	fs.Var(&value[int]{dest, parseNumber, strconv.Itoa, kindNumber}, name, usage)
}

func parseNumber(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("must be a whole number from 0 (no limit) to %d", math.MaxInt32)
	}
	return int(n), nil
}

func textFlag(fs *pflag.FlagSet, dest *string, kind, name, usage string) {
	fs.Var(&value[string]{dest, parseText, func(s string) string { return s }, kind}, name, usage)
}

func parseText(text string) (string, error) {
	if text == "" {
		return "", errors.New("must not be empty")
	}
	return text, nil
}

// listFlag defines a flag that can be given several times, with one text each.
func listFlag(fs *pflag.FlagSet, dest *[]string, kind, name, usage string) {
	parse := func(text string) ([]string, error) {
		if text == "" {
			return nil, errors.New("must not be empty")
		}
		return append(*dest, text), nil
	}
	fs.Var(&value[[]string]{dest, parse, func(s []string) string { return strings.Join(s, " ") }, kind}, name, usage)
}

// choiceFlag defines a flag for one of a few words.
func choiceFlag(fs *pflag.FlagSet, dest *string, choices []string, name, usage string) {
	parse := func(text string) (string, error) {
		if !slices.Contains(choices, text) {
			return "", fmt.Errorf("must be one of %s", strings.Join(choices, ", "))
		}
		return text, nil
	}
	fs.Var(&value[string]{dest, parse, func(s string) string { return s }, strings.Join(choices, "|")}, name, usage)
}

// ageFlag defines a flag for a duration such as 90m, 36h or 7d.
func ageFlag(fs *pflag.FlagSet, dest *time.Duration, name, usage string) {
	fs.Var(&value[time.Duration]{dest, parseAge, formatAge, kindAge}, name, usage)
	if *dest == 0 {
		fs.Lookup(name).DefValue = "" // the usage text says what omitting it means
	}
}

var errAge = errors.New("must be a duration such as 90m, 36h or 7d")

// maxAgeDays keeps a number of days within the range of a Duration.
const maxAgeDays = 36_500

// parseAge is time.ParseDuration, and also accepts days.
func parseAge(text string) (time.Duration, error) {
	var age time.Duration
	rest := text
	if number, after, found := strings.Cut(text, "d"); found {
		days, err := strconv.ParseUint(number, 10, 16)
		if err != nil || days > maxAgeDays {
			return 0, errAge
		}
		age, rest = time.Duration(days)*24*time.Hour, after
		if rest == "" {
			return age, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > maxAgeDays*24*time.Hour {
		return 0, errAge
	}
	return age + d, nil
}
