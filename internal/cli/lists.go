package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"example.org/bridge/internal/bridge"
)

// maxCount is the largest count that flags accept.
const maxCount = 10_000_000

var errCount = fmt.Errorf("must be a whole number from 1 to %d", maxCount)

// countFlag defines a flag for a whole number from 1.
func countFlag(fs *pflag.FlagSet, dest *int, name, usage string) {
	fs.Var(&value[int]{dest, parseCount, strconv.Itoa, kindNumber}, name, usage)
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxCount {
		return 0, errCount
	}
	return n, nil
}

// countsFlag defines a flag for such numbers, separated by commas.
func countsFlag(fs *pflag.FlagSet, dest *[]int, name, usage string) {
	fs.Var(&value[[]int]{dest, parseCounts, formatCounts, kindText}, name, usage)
}

func parseCounts(text string) ([]int, error) {
	var counts []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := parseCount(strings.TrimSpace(field))
		if err != nil {
			return nil, fmt.Errorf("must be whole numbers from 1 to %d, separated by commas", maxCount)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

func formatCounts(counts []int) string {
	fields := make([]string, len(counts))
	for i, n := range counts {
		fields[i] = strconv.Itoa(n)
	}
	return strings.Join(fields, ",")
}

// choicesFlag defines a flag for some of a few words, separated by commas.
func choicesFlag(fs *pflag.FlagSet, dest *[]string, choices []string, name, usage string) {
	parse := func(text string) ([]string, error) {
		var chosen []string
		for field := range strings.SplitSeq(text, ",") {
			field = strings.TrimSpace(field)
			if !slices.Contains(choices, field) {
				return nil, errors.New("must be of " + strings.Join(choices, ", ") + ", separated by commas")
			}
			chosen = append(chosen, field)
		}
		return chosen, nil
	}
	fs.Var(&value[[]string]{dest, parse, func(s []string) string { return strings.Join(s, ",") }, kindText}, name, usage)
}

// sessionFlag defines a flag that takes the letter of a sessionor one of some other
// words.
func sessionFlag(fs *pflag.FlagSet, dest *string, name, usage string, words ...string) {
	parse := func(text string) (string, error) {
		if bridge.SessionID(text).Valid() || slices.Contains(words, text) {
			return text, nil
		}
		return "", errors.New("must be " + strings.Join(append([]string{"the letter of a session"}, words...), ", or "))
	}
	fs.Var(&value[string]{dest, parse, func(s string) string { return s }, kindText}, name, usage)
}

// conversationsFlag defines a flag for conversations, separated by commas; it may be
// given several times.
func conversationsFlag(fs *pflag.FlagSet, dest *[]string, name, usage string) {
	parse := func(text string) ([]string, error) {
		all := *dest
		for field := range strings.SplitSeq(text, ",") {
			field = strings.TrimSpace(field)
			if err := checkConversation(field); err != nil {
				return nil, err
			}
			all = append(all, field)
		}
		return all, nil
	}
	fs.Var(&value[[]string]{dest, parse, func(s []string) string { return strings.Join(s, ",") }, kindText}, name, usage)
}

// sessionsFlag defines a flag for letters of sessions, separated by commas.
func sessionsFlag(fs *pflag.FlagSet, dest *[]string, name, usage string) {
	parse := func(text string) ([]string, error) {
		var sessions []string
		for field := range strings.SplitSeq(text, ",") {
			field = strings.TrimSpace(field)
			if !bridge.SessionID(field).Valid() {
				return nil, errors.New("must be letters of sessions, such as b,c")
			}
			sessions = append(sessions, field)
		}
		return sessions, nil
	}
	fs.Var(&value[[]string]{dest, parse, func(s []string) string { return strings.Join(s, ",") }, kindText}, name, usage)
}
