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

// Kinds of values, as help shows them. They also say which TOML type the
// configuration file holds: a boolean, a whole number, or text.
const (
	kindBool   = "bool"
	kindNumber = "number"
	kindText   = "text"
	kindPath   = "path"
	kindAge    = "age"
)

// value is a flag's value. Unlike pflag's own, its errors say what it takes and
// never repeat what it was given.
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

// numberFlag takes whole numbers from 0, which means no limit.
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

// listFlag takes a text each time that it is given.
func listFlag(fs *pflag.FlagSet, dest *[]string, kind, name, usage string) {
	parse := func(text string) ([]string, error) {
		if text == "" {
			return nil, errors.New("must not be empty")
		}
		return append(*dest, text), nil
	}
	fs.Var(&value[[]string]{dest, parse, func(s []string) string { return strings.Join(s, " ") }, kind}, name, usage)
}

// choiceFlag takes one of a few words.
func choiceFlag(fs *pflag.FlagSet, dest *string, choices []string, name, usage string) {
	parse := func(text string) (string, error) {
		if !slices.Contains(choices, text) {
			return "", fmt.Errorf("must be one of %s", strings.Join(choices, ", "))
		}
		return text, nil
	}
	fs.Var(&value[string]{dest, parse, func(s string) string { return s }, strings.Join(choices, "|")}, name, usage)
}

// ageFlag takes a length of time such as 90m, 36h or 7d.
func ageFlag(fs *pflag.FlagSet, dest *time.Duration, name, usage string) {
	fs.Var(&value[time.Duration]{dest, parseAge, formatAge, kindAge}, name, usage)
	if *dest == 0 {
		fs.Lookup(name).DefValue = "" // the usage says what it means not to give it
	}
}

var errAge = errors.New("must be a length of time such as 90m, 36h or 7d")

// maxAgeDays keeps a number of days within what a Duration holds.
const maxAgeDays = 36_500

// parseAge is time.ParseDuration with days in front.
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
