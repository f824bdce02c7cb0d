using System.Net;

namespace UniFace.Cli.Reports;

/// <summary>
/// A chart as one self-contained SVG without scripts, in light and dark colors. Values that a scale cannot show (NaN, infinity, 0 on a log axis) are
/// left out; a chart without values says so. Colors are the numbers 1 to 5.
/// </summary>
internal sealed class SvgChart(string title, ChartAxis x, ChartAxis y)
{
    private const double Width = 440, Left = 56, Right = 420, Top = 12, Bottom = 232, LegendTop = Bottom + 44, LegendLine = 20;
    private const int MaxPoints = 600;
    private const string MarkStyle = "line dash c4";

    private readonly List<Line> lines = [];
    private readonly List<Bars> bars = [];
    private readonly List<double> marks = [];
    private readonly List<LegendEntry> legend = [];

    private sealed record Line(string Name, IReadOnlyList<(double X, double Y)> Points, string Style);

    private sealed record Bars(IReadOnlyList<double> Heights, double From, double To, string Style);

    private sealed record LegendEntry(string Name, string Style)
    {
        public bool IsBar => Style.StartsWith("bar", StringComparison.Ordinal);

        public double Width => 40 + (6.6 * Name.Length);
    }

    /// <summary>Adds a line through points in their order.</summary>
    public SvgChart AddLine(string name, IReadOnlyList<(double X, double Y)> points, int color = 1, bool dashed = false)
    {
        string style = $"line{(dashed ? " dash" : "")} c{color}";
        lines.Add(new Line(name, points, style));
        legend.Add(new LegendEntry(name, style));
        return this;
    }

    /// <summary>Adds a histogram with bars of equal width between two values of x.</summary>
    public SvgChart AddBars(string name, IReadOnlyList<double> heights, double from, double to, int color = 1)
    {
        string style = $"bar f{color}";
        bars.Add(new Bars(heights, from, to, style));
        legend.Add(new LegendEntry(name, style));
        return this;
    }

    /// <summary>Adds a vertical line at a value of x.</summary>
    public SvgChart AddMark(string name, double at)
    {
        if (double.IsFinite(x.Place(at)))
        {
            marks.Add(at);
            legend.Add(new LegendEntry(name, MarkStyle));
        }

        return this;
    }

    /// <summary>Converts an SVG for a page into one for a file, which needs a namespace.</summary>
    public static string ToFile(string svg) => svg.Replace("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", StringComparison.Ordinal);

    /// <summary>The SVG, for use in a page.</summary>
    /// <param name="description">What the chart shows, for screen readers.</param>
    public string ToSvg(string description)
    {
        IEnumerable<(double X, double Y)> points = lines.SelectMany(l => l.Points);
        (double x0, double x1) = x.Range([.. points.Select(p => p.X), .. bars.SelectMany(b => new[] { b.From, b.To }), .. marks]);
        (double y0, double y1) = y.Range([.. points.Select(p => p.Y), .. bars.SelectMany(b => b.Heights), .. Enumerable.Repeat(0.0, bars.Count)]);
        double PixelX(double place) => Left + ((place - x0) / (x1 - x0) * (Right - Left));
        double PixelY(double place) => Bottom - ((place - y0) / (y1 - y0) * (Bottom - Top));

        List<List<LegendEntry>> rows = LegendRows();
        double height = LegendTop + (rows.Count * LegendLine);
        StringBuilder svg = new();
        svg.Append($"<svg class=\"uf\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Text(title)}: {Text(description)}\">");
        svg.Append($"<title>{Text(title)}</title><desc>{Text(description)}</desc><style>{EmbeddedText.Read("chart.css")}</style>");
        foreach ((double place, string text) in y.Ticks(y0, y1))
        {
            AppendLine(svg, "grid", Left, Right, PixelY(place), PixelY(place));
            AppendText(svg, Left - 6, PixelY(place) + 4, "end", text);
        }

        foreach ((double place, string text) in x.Ticks(x0, x1))
        {
            AppendLine(svg, "grid", PixelX(place), PixelX(place), Top, Bottom);
            AppendText(svg, PixelX(place), Bottom + 17, "middle", text);
        }

        AppendLine(svg, "axis", Left, Right, Bottom, Bottom);
        AppendLine(svg, "axis", Left, Left, Top, Bottom);
        AppendText(svg, (Left + Right) / 2, Bottom + 36, "middle", x.Label);
        svg.Append($"<text transform=\"translate(13 {(Top + Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{Text(y.Label)}</text>");
        bars.ForEach(b => AppendBars(svg, b, PixelX, PixelY));
        marks.ForEach(at => AppendLine(svg, MarkStyle, PixelX(x.Place(at)), PixelX(x.Place(at)), Top, Bottom));
        lines.ForEach(l => AppendPath(svg, l, PixelX, PixelY));
        if (!points.Any(IsShown) && !bars.Any(b => b.Heights.Any(h => double.IsFinite(h) && h > 0)))
        {
            AppendText(svg, (Left + Right) / 2, (Top + Bottom) / 2, "middle", "no values");
        }

        AppendLegend(svg, rows);
        return svg.Append("</svg>").ToString();
    }

    private void AppendBars(StringBuilder svg, Bars bars, Func<double, double> pixelX, Func<double, double> pixelY)
    {
        double step = (bars.To - bars.From) / Math.Max(1, bars.Heights.Count);
        for (int i = 0; i < bars.Heights.Count; i++)
        {
            double left = pixelX(x.Place(bars.From + (i * step))), right = pixelX(x.Place(bars.From + ((i + 1) * step)));
            double top = pixelY(y.Place(bars.Heights[i]));
            if (double.IsFinite(top) && double.IsFinite(left + right) && bars.Heights[i] > 0)
            {
                double width = Math.Max(right - left - 0.3, 0.3), height = Math.Max(Bottom - top, 0);
                svg.Append($"<rect class=\"{bars.Style}\" x=\"{left:0.##}\" y=\"{top:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\"/>");
            }
        }
    }

    private void AppendPath(StringBuilder svg, Line line, Func<double, double> pixelX, Func<double, double> pixelY)
    {
        int stride = Math.Max(1, line.Points.Count / MaxPoints);
        StringBuilder path = new();
        string move = "M";
        foreach ((int i, (double X, double Y) point) in line.Points.Index().Where(p => p.Index % stride == 0 || p.Index == line.Points.Count - 1))
        {
            if (!IsShown(point))
            {
                move = "M";
                continue;
            }

            double px = Math.Clamp(pixelX(x.Place(point.X)), Left, Right), py = Math.Clamp(pixelY(y.Place(point.Y)), Top, Bottom);
            path.Append($"{move}{px:0.#} {py:0.#}");
            move = "L";
        }

        if (path.Length > 0)
        {
            svg.Append($"<path class=\"{line.Style}\" d=\"{path}\"><title>{Text(line.Name)}</title></path>");
        }
    }

    private bool IsShown((double X, double Y) point) => double.IsFinite(x.Place(point.X)) && double.IsFinite(y.Place(point.Y));

    private List<List<LegendEntry>> LegendRows()
    {
        List<List<LegendEntry>> rows = [];
        double used = double.PositiveInfinity;
        foreach (LegendEntry entry in legend)
        {
            if (used + entry.Width > Right - Left)
            {
                rows.Add([]);
                used = 0;
            }

            rows[^1].Add(entry);
            used += entry.Width;
        }

        return rows;
    }

    private static void AppendLegend(StringBuilder svg, List<List<LegendEntry>> rows)
    {
        foreach ((int row, List<LegendEntry> entries) in rows.Index())
        {
            double at = Left, middle = LegendTop + (row * LegendLine) + 10;
            foreach (LegendEntry entry in entries)
            {
                if (entry.IsBar)
                {
                    svg.Append($"<rect class=\"{entry.Style}\" x=\"{at}\" y=\"{middle - 6}\" width=\"20\" height=\"12\"/>");
                }
                else
                {
                    AppendLine(svg, entry.Style, at, at + 20, middle, middle);
                }

                svg.Append($"<text x=\"{at + 26}\" y=\"{middle + 4}\">{Text(entry.Name)}</text>");
                at += entry.Width;
            }
        }
    }

    private static void AppendLine(StringBuilder svg, string style, double x1, double x2, double y1, double y2) =>
        svg.Append($"<line class=\"{style}\" x1=\"{x1:0.#}\" x2=\"{x2:0.#}\" y1=\"{y1:0.#}\" y2=\"{y2:0.#}\"/>");

    private static void AppendText(StringBuilder svg, double x, double y, string anchor, string text) =>
        svg.Append($"<text x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\">{Text(text)}</text>");

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
