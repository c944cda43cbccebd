package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format

	"example.org/bridge/internal/lab/bench"
)

// chart is one picture.
type chart struct {
	file, title string
	add         func(*plot.Plot, bench.Report) error
}

var charts = []chart{
	{"growth.svg", "Send and check as the store grows", addGrowth},
	{"latency.svg", "What a client waits for", addLatency},
	{"pairs.svg", "Pairs of agents at work at once", addThroughput},
	{"pairs-latency.svg", "What each call takes among pairs at work at once", addPairLatency},
}

// errNothing reports a run in which a measurement is missing.
var errNothing = errors.New("the report lacks the figures: measure all with bridge bench --json")

// svg draws a chart. The second line of its title describes the machine.
func (c chart) svg(r bench.Report) ([]byte, error) {
	p := newPlot(c.title + "\n" + machineLine(r))
	if err := c.add(p, r); err != nil {
		return nil, err
	}
	canvas, err := draw.NewFormattedCanvas(width, height, "svg")
	if err != nil {
		return nil, err
	}
	area := draw.New(canvas)
	area.FillPolygon(color.White, []vg.Point{{}, {X: width}, {X: width, Y: height}, {Y: height}})
	p.Draw(draw.Crop(area, margin, -margin, margin, -margin))
	var out bytes.Buffer
	_, err = canvas.WriteTo(&out)
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,sans-serif;")), err
}

func machineLine(r bench.Report) string {
	m := r.Machine
	line := strings.Join([]string{m.CPU, counted(m.Cores, "core"), m.FileSystem, "bridge " + m.Bridge}, ", ")
	if m.Load >= 0 {
		line += fmt.Sprintf(", load %.1f before, %.1f after", m.Load, r.LoadAfter)
	}
	return line
}

// line returns the figures of one name for all sizes.
type line struct {
	prefix, label string
	style         style
	of            func(bench.Figure) float64
}

func median(f bench.Figure) float64 { return f.Value }

func p99(f bench.Figure) float64 {
	if f.Spread == nil {
		return 0
	}
	return f.Spread.P99
}

func addGrowth(p *plot.Plot, r bench.Report) error {
	p.X.Label.Text, p.Y.Label.Text = "messages in the store", "ms"
	logarithmic(&p.X, r, "growth/")
	return addLines(p, r,
		line{"growth/send/", "send, median", solid(orange), median},
		line{"growth/check/", "check with mail, median", solid(blue), median},
		line{"growth/empty/", "check without mail, median", solid(green), median},
		line{"growth/send/", "send, p99", dashed(orange), p99},
		line{"growth/check/", "check with mail, p99", dashed(blue), p99},
	)
}

// originalPairs and originalThroughput were measured with the program that this
// one replaces, using its own SDK: ten pairs, 263 operations per second.
const (
	originalPairs      = 10
	originalThroughput = 263
)

func addThroughput(p *plot.Plot, r bench.Report) error {
	p.X.Label.Text, p.Y.Label.Text = "pairs, two processes each", "calls a second"
	linear(&p.X, r, "pairs/throughput/")
	if err := addLines(p, r, line{"pairs/throughput/", "bridge", solid(blue), median}); err != nil {
		return err
	}
	return addPoint(p, "the Python original, as it was measured", plotter.XY{X: originalPairs, Y: originalThroughput})
}

func addPairLatency(p *plot.Plot, r bench.Report) error {
	p.X.Label.Text, p.Y.Label.Text = "pairs, two processes each", "ms"
	linear(&p.X, r, "pairs/send/")
	return addLines(p, r,
		line{"pairs/send/", "send, median", solid(orange), median},
		line{"pairs/check/", "check, median", solid(blue), median},
		line{"pairs/send/", "send, p99", dashed(orange), p99},
		line{"pairs/check/", "check, p99", dashed(blue), p99},
	)
}

// shown are the bars of latency.svg, from the bottom up.
var shown = []struct{ name, label string }{
	{"watch/push", "bridge inbox:\ncommit to line"},
	{"delivery/from_call", "send to waiting\npartner"},
	{"check/empty", "check\nwithout mail"},
	{"check/mail", "check\nwith mail"},
	{"send/answer", "send"},
	{"start/first_call", "start of a process\nto first answer"},
}

func addLatency(p *plot.Plot, r bench.Report) error {
	p.X.Label.Text = "ms"
	var labels []string
	values := make([]plotter.Values, 3)
	for _, s := range shown {
		f, ok := find(r, s.name)
		if !ok || f.Spread == nil {
			return errNothing
		}
		labels = append(labels, s.label)
		for i, v := range []float64{f.Spread.P50, f.Spread.P90, f.Spread.P99} {
			values[i] = append(values[i], v)
		}
	}
	return addBars(p, labels, []string{"p50", "p90", "p99"}, values)
}

func find(r bench.Report, name string) (bench.Figure, bool) {
	i := slices.IndexFunc(r.Figures, func(f bench.Figure) bool { return f.Name == name })
	if i < 0 {
		return bench.Figure{}, false
	}
	return r.Figures[i], true
}

// series returns the figures whose names begin with prefix, by size.
func series(r bench.Report, prefix string) []bench.Figure {
	var all []bench.Figure
	for _, f := range r.Figures {
		if strings.HasPrefix(f.Name, prefix) && f.Size > 0 {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b bench.Figure) int { return cmp.Compare(a.Size, b.Size) })
	return all
}
