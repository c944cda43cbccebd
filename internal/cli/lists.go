package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// maxCount bounds what is counted in flags.
const maxCount = 10_000_000

var errCount = fmt.Errorf("must be a whole number from 1 to %d", maxCount)

// countFlag takes whole numbers from 1.
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

// countsFlag takes such numbers with commas between them.
func countsFlag(fs *pflag.FlagSet, dest *[]int, name, usage string) {
	fs.Var(&value[[]int]{dest, parseCounts, formatCounts, kindText}, name, usage)
}

func parseCounts(text string) ([]int, error) {
	var counts []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := parseCount(strings.TrimSpace(field))
		if err != nil {
			return nil, fmt.Errorf("must be whole numbers from 1 to %d with commas between them", maxCount)
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

// choicesFlag takes some of a few words, with commas between them.
func choicesFlag(fs *pflag.FlagSet, dest *[]string, choices []string, name, usage string) {
	parse := func(text string) ([]string, error) {
		var chosen []string
		for field := range strings.SplitSeq(text, ",") {
			field = strings.TrimSpace(field)
			if !slices.Contains(choices, field) {
				return nil, errors.New("must be of " + strings.Join(choices, ", ") + ", with commas between them")
			}
			chosen = append(chosen, field)
		}
		return chosen, nil
	}
	fs.Var(&value[[]string]{dest, parse, func(s []string) string { return strings.Join(s, ",") }, kindText}, name, usage)
}
