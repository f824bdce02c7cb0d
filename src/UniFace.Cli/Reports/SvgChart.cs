using System.Globalization;
using System.Net;
using System.Text;

namespace UniFace.Cli.Reports;

/// <summary>
/// A chart as one SVG that needs nothing else: its own colours for light and dark, text in the reader's fonts, no scripts.
/// Values that a scale cannot show (NaN, infinity, 0 on a log axis) are left out; a chart without values says so.
/// Colours are the series' places: 1 to 5.
/// </summary>
internal sealed class SvgChart(string title, ChartAxis x, ChartAxis y)
{
    private const double Width = 440, Left = 56, Right = 20, Top = 12, PlotHeight = 220, LegendLine = 20;
    private const int MaxPoints = 600;

    private const string Style =
        ".uf text{font:12.5px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#30363d}" +
        ".uf .grid{stroke:#d8dee4;stroke-width:1}.uf .axis{stroke:#8c959f;stroke-width:1}.uf .line{fill:none;stroke-width:2.2;stroke-linejoin:round}.uf .dash{stroke-dasharray:6 4}.uf .bar{opacity:.55}" +
        ".uf .c1{stroke:#0b62c4}.uf .f1{fill:#0b62c4}.uf .c2{stroke:#c4480b}.uf .f2{fill:#d9691f}.uf .c3{stroke:#1a7f4b}.uf .f3{fill:#1a7f4b}.uf .c4{stroke:#8a3fc0}.uf .f4{fill:#8a3fc0}.uf .c5{stroke:#6e7781}.uf .f5{fill:#8c959f}" +
        "@media(prefers-color-scheme:dark){.uf text{fill:#d5dbe2}.uf .grid{stroke:#2f3640}.uf .axis{stroke:#6e7681}.uf .c1{stroke:#6cb2ff}.uf .f1{fill:#6cb2ff}.uf .c2{stroke:#ff9b5e}.uf .f2{fill:#ff9b5e}.uf .c3{stroke:#5fd39a}.uf .f3{fill:#5fd39a}.uf .c4{stroke:#cf9bff}.uf .f4{fill:#cf9bff}.uf .c5{stroke:#9aa4af}.uf .f5{fill:#9aa4af}}";

    private readonly List<Line> lines = [];
    private readonly List<Bars> bars = [];
    private readonly List<Mark> marks = [];

    private sealed record Line(string Name, IReadOnlyList<(double X, double Y)> Points, int Color, bool Dashed);

    private sealed record Bars(string Name, IReadOnlyList<double> Heights, double From, double To, int Color);

    private sealed record Mark(string Name, double X, int Color);

    /// <summary>A line through points, in their order.</summary>
    public SvgChart AddLine(string name, IReadOnlyList<(double X, double Y)> points, int color = 1, bool dashed = false)
    {
        lines.Add(new Line(name, points, color, dashed));
        return this;
    }

    /// <summary>A histogram: bars of equal width from <paramref name="from"/> to <paramref name="to"/>.</summary>
    public SvgChart AddBars(string name, IReadOnlyList<double> heights, double from, double to, int color = 1)
    {
        bars.Add(new Bars(name, heights, from, to, color));
        return this;
    }

    /// <summary>A vertical line at a value of x.</summary>
    public SvgChart AddMark(string name, double at, int color = 4)
    {
        if (double.IsFinite(x.Place(at)))
        {
            marks.Add(new Mark(name, at, color));
        }

        return this;
    }

    /// <summary>An SVG as a file of its own: inside a page it needs no namespace, outside of one it does.</summary>
    public static string ToFile(string svg) => svg.Replace("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", StringComparison.Ordinal);

    /// <summary>The SVG, to stand in a page.</summary>
    /// <param name="description">What the chart shows, for those who cannot see it.</param>
    public string ToSvg(string description)
    {
        (double x0, double x1) = x.Range([.. lines.SelectMany(l => l.Points).Select(p => p.X), .. bars.SelectMany(b => new[] { b.From, b.To }), .. marks.Select(m => m.X)]);
        (double y0, double y1) = y.Range([.. lines.SelectMany(l => l.Points).Select(p => p.Y), .. bars.SelectMany(b => b.Heights), .. Enumerable.Repeat(0.0, bars.Count)]);
        bool empty = !lines.Any(l => l.Points.Any(p => Shown(p.X, p.Y))) && !bars.Any(b => b.Heights.Any(h => double.IsFinite(h) && h > 0));
        List<List<(string Name, int Color, bool Bar, bool Dash)>> legend = Legend();
        double bottom = Top + PlotHeight, height = bottom + 44 + (legend.Count * LegendLine);
        StringBuilder svg = new();
        svg.Append(Invariant($"<svg class=\"uf\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Text(title)}: {Text(description)}\"><title>{Text(title)}</title><desc>{Text(description)}</desc><style>{Style}</style>"));
        double PixelX(double place) => Left + ((place - x0) / (x1 - x0) * (Width - Left - Right));
        double PixelY(double place) => bottom - ((place - y0) / (y1 - y0) * PlotHeight);
        foreach ((double place, string text) in y.Ticks(y0, y1))
        {
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{PixelY(place):0.#}\" y2=\"{PixelY(place):0.#}\"/><text x=\"{Left - 6}\" y=\"{PixelY(place) + 4:0.#}\" text-anchor=\"end\">{Text(text)}</text>"));
        }

        foreach ((double place, string text) in x.Ticks(x0, x1))
        {
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{PixelX(place):0.#}\" x2=\"{PixelX(place):0.#}\" y1=\"{Top}\" y2=\"{bottom}\"/><text x=\"{PixelX(place):0.#}\" y=\"{bottom + 17}\" text-anchor=\"middle\">{Text(text)}</text>"));
        }

        svg.Append(Invariant($"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{bottom}\" y2=\"{bottom}\"/><line class=\"axis\" x1=\"{Left}\" x2=\"{Left}\" y1=\"{Top}\" y2=\"{bottom}\"/>"));
        svg.Append(Invariant($"<text x=\"{(Left + Width - Right) / 2}\" y=\"{bottom + 36}\" text-anchor=\"middle\">{Text(x.Label)}</text><text transform=\"translate(13 {Top + (PlotHeight / 2)}) rotate(-90)\" text-anchor=\"middle\">{Text(y.Label)}</text>"));
        foreach (Bars b in bars)
        {
            double step = (b.To - b.From) / Math.Max(1, b.Heights.Count);
            for (int i = 0; i < b.Heights.Count; i++)
            {
                double left = PixelX(x.Place(b.From + (i * step))), right = PixelX(x.Place(b.From + ((i + 1) * step))), top = PixelY(y.Place(b.Heights[i]));
                if (double.IsFinite(top) && double.IsFinite(left + right) && b.Heights[i] > 0)
                {
                    svg.Append(Invariant($"<rect class=\"bar f{b.Color}\" x=\"{left:0.##}\" y=\"{top:0.##}\" width=\"{Math.Max(right - left - 0.3, 0.3):0.##}\" height=\"{Math.Max(bottom - top, 0):0.##}\"/>"));
                }
            }
        }

        foreach (Mark m in marks)
        {
            double at = PixelX(x.Place(m.X));
            svg.Append(Invariant($"<line class=\"line dash c{m.Color}\" x1=\"{at:0.#}\" x2=\"{at:0.#}\" y1=\"{Top}\" y2=\"{bottom}\"/>"));
        }

        foreach (Line line in lines)
        {
            AppendLine(svg, line, PixelX, PixelY);
        }

        if (empty)
        {
            svg.Append(Invariant($"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Top + (PlotHeight / 2)}\" text-anchor=\"middle\">no values</text>"));
        }

        AppendLegend(svg, legend, bottom + 44);
        return svg.Append("</svg>").ToString();
    }

    private void AppendLine(StringBuilder svg, Line line, Func<double, double> pixelX, Func<double, double> pixelY)
    {
        int stride = Math.Max(1, line.Points.Count / MaxPoints);
        StringBuilder path = new();
        bool pen = false;
        for (int i = 0; i < line.Points.Count; i++)
        {
            if (i % stride != 0 && i != line.Points.Count - 1)
            {
                continue;
            }

            (double px, double py) = line.Points[i];
            if (!Shown(px, py))
            {
                pen = false;
                continue;
            }

            double cx = Math.Clamp(pixelX(x.Place(px)), Left, Width - Right), cy = Math.Clamp(pixelY(y.Place(py)), Top, Top + PlotHeight);
            path.Append(Invariant($"{(pen ? "L" : "M")}{cx:0.#} {cy:0.#}"));
            pen = true;
        }

        if (path.Length > 0)
        {
            svg.Append(Invariant($"<path class=\"line{(line.Dashed ? " dash" : "")} c{line.Color}\" d=\"{path}\"><title>{Text(line.Name)}</title></path>"));
        }
    }

    private bool Shown(double px, double py) => double.IsFinite(x.Place(px)) && double.IsFinite(y.Place(py));

    private List<List<(string Name, int Color, bool Bar, bool Dash)>> Legend()
    {
        List<(string, int, bool, bool)> entries = [.. bars.Select(b => (b.Name, b.Color, true, false)), .. lines.Select(l => (l.Name, l.Color, false, l.Dashed)), .. marks.Select(m => (m.Name, m.Color, false, true))];
        List<List<(string, int, bool, bool)>> rows = [];
        double used = double.PositiveInfinity;
        foreach ((string, int, bool, bool) entry in entries)
        {
            double need = Need(entry.Item1);
            if (used + need > Width - Left - Right)
            {
                rows.Add([]);
                used = 0;
            }

            rows[^1].Add(entry);
            used += need;
        }

        return rows;
    }

    private static double Need(string name) => 40 + (6.6 * name.Length);

    private static void AppendLegend(StringBuilder svg, List<List<(string Name, int Color, bool Bar, bool Dash)>> rows, double top)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            double at = Left, middle = top + (row * LegendLine) + 10;
            foreach ((string name, int color, bool bar, bool dash) in rows[row])
            {
                svg.Append(bar
                    ? Invariant($"<rect class=\"bar f{color}\" x=\"{at}\" y=\"{middle - 6}\" width=\"20\" height=\"12\"/>")
                    : Invariant($"<line class=\"line{(dash ? " dash" : "")} c{color}\" x1=\"{at}\" x2=\"{at + 20}\" y1=\"{middle}\" y2=\"{middle}\"/>"));
                svg.Append(Invariant($"<text x=\"{at + 26}\" y=\"{middle + 4}\">{Text(name)}</text>"));
                at += Need(name);
            }
        }
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
