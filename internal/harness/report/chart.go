package report

import (
	"strings"
	"time"

	"example.org/bridge/internal/harness/run"
)

// chart is a histogram of the durations of cases. Each bar covers a wider range than the
// one before it: the limits are 1, 2, 5, 10, 20, 50 … milliseconds.
type chart struct {
	Width, Height, Base int
	Text                string // the same as text, for screen readers
	Bars                []bar
}

// bar is one bar and its position, in units of the drawing.
type bar struct {
	Label                       string
	Count                       int
	X, Y, Width, Height, Middle int
	Above, Below                int // positions of the texts
}

const (
	chartWidth, chartHeight = 640, 190
	chartBase               = 160 // the lower end of the bars
	tallest                 = 130
	gap                     = 6
)

// chartOf returns the chart of the cases that ran, or nil for fewer than two.
func chartOf(cases []run.Outcome) *chart {
	var times []time.Duration
	for _, c := range cases {
		if c.State != run.Skipped {
			times = append(times, c.Duration)
		}
	}
	if len(times) < 2 {
		return nil
	}
	limits, counts := buckets(times)
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	var told []string
	width := min(chartWidth/len(counts), 90)
	c := &chart{Width: width * len(counts), Height: chartHeight, Base: chartBase}
	for i, n := range counts {
		height := tallest * n / most
		if n > 0 {
			height = max(height, 2)
		}
		label := "≤ " + spaced(limits[i])
		c.Bars = append(c.Bars, bar{
			Label: label, Count: n, X: i*width + gap/2, Y: chartBase - height, Width: width - gap, Height: height,
			Middle: i*width + width/2, Above: chartBase - height - 6, Below: chartBase + 18,
		})
		told = append(told, count(n, "case")+" "+strings.Replace(label, "≤", "at most", 1))
	}
	c.Text = strings.Join(told, ", ")
	return c
}

// spaced inserts a space before the unit of a round duration.
func spaced(d time.Duration) string {
	text := d.String()
	if number := strings.TrimRight(text, "hmnµs"); !strings.ContainsAny(number, "hm") {
		return number + " " + text[len(number):]
	}
	return text // 1h23m20s
}

// mostBars is how many bars have room for their texts.
const mostBars = 9

// buckets assigns durations to limits that are 1, 2 or 5 times a power of ten. Durations
// below the first or above the last of the bars that have room are counted in that bar.
func buckets(times []time.Duration) (limits []time.Duration, counts []int) {
	least, longest := times[0], times[0]
	for _, t := range times {
		least, longest = min(least, t), max(longest, t)
	}
	for decade := 10 * time.Microsecond; len(limits) == 0 || limits[len(limits)-1] < longest; decade *= 10 {
		for _, step := range []time.Duration{1, 2, 5} {
			if limit := step * decade; limit >= least && (len(limits) == 0 || limits[len(limits)-1] < longest) {
				limits = append(limits, limit)
			}
		}
	}
	limits = limits[max(0, len(limits)-mostBars):]
	counts = make([]int, len(limits))
	for _, t := range times {
		i := 0
		for t > limits[i] {
			i++
		}
		counts[i]++
	}
	return limits, counts
}
