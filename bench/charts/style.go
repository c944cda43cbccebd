package main

import (
	"image/color"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"example.org/bridge/internal/lab/bench"
)

const (
	width  = 16 * vg.Centimeter
	height = 9 * vg.Centimeter
	margin = 5 * vg.Millimeter // half of a number at the last mark extends beyond the axis
)

// Colours that colour-blind people can distinguish (Okabe and Ito, 2008).
var (
	orange = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	green  = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	light  = color.RGBA{0x9e, 0xcd, 0xe9, 0xff}
	grid   = color.RGBA{0xe0, 0xe0, 0xe0, 0xff}
)

// style is how a line is drawn.
type style struct {
	color  color.Color
	dashes []vg.Length
}

func solid(c color.Color) style  { return style{color: c} }
func dashed(c color.Color) style { return style{c, []vg.Length{vg.Points(4), vg.Points(3)}} }

func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Points(6)
	p.BackgroundColor = color.White
	for _, f := range []*font.Font{
		&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font,
		&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font,
	} {
		f.Variant, f.Size = "Sans", vg.Points(9)
	}
	p.Y.Min, p.X.Min = 0, 0
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	lines := plotter.NewGrid()
	lines.Vertical.Color, lines.Horizontal.Color = grid, grid
	p.Add(lines)
	return p
}

// addLines draws lines through the points of their figures, starting at 0, with
// room for the legend above them.
func addLines(p *plot.Plot, r bench.Report, lines ...line) error {
	var top float64
	for _, l := range lines {
		var points plotter.XYs
		for _, f := range series(r, l.prefix) {
			points = append(points, plotter.XY{X: float64(f.Size), Y: l.of(f)})
			top = max(top, l.of(f))
		}
		if len(points) == 0 {
			return errNothing
		}
		drawn, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		drawn.Color, drawn.Dashes, drawn.Width = l.style.color, l.style.dashes, vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = l.style.color, draw.CircleGlyph{}, vg.Points(2)
		p.Add(drawn, dots)
		p.Legend.Add(l.label, drawn, dots)
	}
	p.Y.Min, p.Y.Max = 0, top*1.5
	return nil
}

// addPoint draws a single point in addition to the lines.
func addPoint(p *plot.Plot, label string, at plotter.XY) error {
	dot, err := plotter.NewScatter(plotter.XYs{at})
	if err != nil {
		return err
	}
	dot.Color, dot.Shape, dot.Radius = orange, draw.BoxGlyph{}, vg.Points(3)
	p.Add(dot)
	p.Legend.Add(label, dot)
	return nil
}

// addBars draws a group of horizontal bars for each label.
func addBars(p *plot.Plot, labels, names []string, values []plotter.Values) error {
	const thick = 5.5
	colors := []color.Color{blue, light, orange}
	for i, name := range names {
		bars, err := plotter.NewBarChart(values[i], vg.Points(thick))
		if err != nil {
			return err
		}
		bars.Horizontal, bars.Color, bars.LineStyle.Width = true, colors[i], 0
		bars.Offset = vg.Points(thick) * vg.Length(1-i)
		p.Add(bars)
		p.Legend.Add(name, bars)
	}
	p.NominalY(labels...)
	p.Y.Tick.Label.Font.Size = vg.Points(8)
	p.X.Min, p.X.Max = 0, p.X.Max*1.05
	p.Legend.Top = false
	return nil
}

// sizes returns the sizes of the figures whose names begin with prefix, in
// ascending order.
func sizes(r bench.Report, prefix string) []int {
	var all []int
	for _, f := range series(r, prefix) {
		all = append(all, f.Size)
	}
	return slices.Compact(all)
}

// linear marks the sizes on an axis that begins at 0.
func linear(axis *plot.Axis, r bench.Report, prefix string) {
	axis.Min = 0
	axis.Tick.Marker = marks(sizes(r, prefix))
}

// logarithmic marks the sizes, which grow by factors, on an axis.
func logarithmic(axis *plot.Axis, r bench.Report, prefix string) {
	all := sizes(r, prefix)
	if len(all) == 0 {
		return // the code that draws the lines reports the error
	}
	axis.Scale = plot.LogScale{}
	axis.Min = float64(all[0])
	axis.Tick.Marker = marks(all)
}

func marks(sizes []int) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, n := range sizes {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: thousands(n)})
	}
	return ticks
}

// thousands formats a number with commas, such as 1,000,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}
