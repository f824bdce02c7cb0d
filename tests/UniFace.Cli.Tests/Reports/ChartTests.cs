using System.Xml.Linq;
using CsCheck;
using UniFace.Cli.Reports;
using UniFace.Evaluation.Verification;
using UniFace.Training.Loop;
using UniFace.Training.Losses;

namespace UniFace.Cli.Tests.Reports;

/// <summary>A chart is valid SVG for any values, and its geometry matches its data.</summary>
public class ChartTests
{
    private static readonly double[] Specials = [0, 1, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    private static readonly Gen<double> AnyNumber = Gen.OneOf(Gen.Double[-5, 5], Gen.Double[1e-9, 1e9], Gen.Int[0, 5].Select(i => Specials[i]));

    [Fact]
    public void Chart_of_any_values_is_valid_XML_with_finite_coordinates() =>
        Gen.Select(AnyNumber.Array[0, 20], AnyNumber.Array[0, 20], Gen.Enum<AxisScale>(), Gen.Enum<AxisScale>()).Sample((xs, ys, scaleX, scaleY) =>
    {
        SvgChart chart = new SvgChart("a <title> & more", new ChartAxis("x", scaleX), new ChartAxis("y \"quoted\"", scaleY) { Percent = true })
            .AddLine("line", [.. xs.Zip(ys)]).AddBars("bars", ys, 0, 1, 2).AddMark("mark", xs.Length > 0 ? xs[0] : double.NaN);
        XElement svg = XElement.Parse(chart.ToSvg("words"));
        string[] geometry = ["x", "y", "x1", "x2", "y1", "y2", "width", "height", "d", "viewBox", "transform"];
        foreach (XAttribute attribute in svg.DescendantsAndSelf().Attributes().Where(a => geometry.Contains(a.Name.LocalName)))
        {
            Assert.DoesNotContain("NaN", attribute.Value, StringComparison.Ordinal);
            Assert.DoesNotContain("∞", attribute.Value, StringComparison.Ordinal);
            Assert.DoesNotContain("Infinity", attribute.Value, StringComparison.Ordinal);
        }
    });

    [Fact]
    public void Axis_shows_every_value_that_its_scale_can_show() =>
        Gen.Select(Gen.Double[1e-6, 1e6].Array[1, 10], Gen.Bool.Select(log => log ? AxisScale.Log : AxisScale.Linear)).Sample((values, scale) =>
    {
        ChartAxis axis = new("", scale);
        (double low, double high) = axis.Range(values);
        Assert.True(low < high);
        Assert.All(values, v => Assert.InRange(axis.Transform(v), low - 1e-9, high + 1e-9));
        double slack = 1e-6 * Math.Max(1, high - low);
        Assert.All(axis.Ticks(low, high), tick => Assert.InRange(tick.Position, low - slack, high + slack));
        Assert.True(axis.Ticks(low, high).Count <= 20);
    });

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.15865525393145707, -1)]
    [InlineData(0.9772498680518208, 2)]
    public void The_axes_of_a_DET_plot_are_normal_deviates(double rate, double deviate) =>
        Assert.Equal(deviate, new ChartAxis("", AxisScale.NormalDeviate).Transform(rate), 1e-9);

    [Fact]
    public void Chart_without_values_says_so_and_constant_chart_has_its_line()
    {
        Assert.Contains("no values", new SvgChart("t", new ChartAxis("x"), new ChartAxis("y")).ToSvg("d"), StringComparison.Ordinal);
        string constant = new SvgChart("t", new ChartAxis("x"), new ChartAxis("y")).AddLine("l", [(0, 3), (1, 3)]).ToSvg("d");
        Assert.DoesNotContain("no values", constant, StringComparison.Ordinal);
        Assert.Single(XElement.Parse(constant).Descendants("path"));
    }

    [Fact]
    public void Bar_heights_are_proportional_to_values_and_the_mark_is_at_its_value()
    {
        XElement svg = XElement.Parse(new SvgChart("t", new ChartAxis("x") { Min = 0, Max = 4 }, new ChartAxis("y") { Min = 0, Max = 4 })
            .AddBars("b", [1, 0, 2, 4], 0, 4).AddMark("m", 2).ToSvg("d"));
        double[] heights =
        [
            .. svg.Descendants("rect")
                .Where(r => (string?)r.Attribute("class") == "bar f1" && (double)r.Attribute("width")! > 25)
                .Select(r => (double)r.Attribute("height")!),
        ];
        Assert.Equal([1.0, 2, 4], heights.Select(h => Math.Round(h / heights[0], 2)));
        XElement mark = svg.Descendants("line").First(l => (string?)l.Attribute("class") == "line dash c4");
        double left =
            svg.Descendants("line").Where(l => (string?)l.Attribute("class") == "axis").Min(l => (double)l.Attribute("x1")!),
            right = svg.Descendants("line").Where(l => (string?)l.Attribute("class") == "axis").Max(l => (double)l.Attribute("x2")!);
        Assert.Equal((left + right) / 2, (double)mark.Attribute("x1")!, 0.1);
    }

    [Fact]
    public void Charts_of_training_and_evaluation_show_every_series()
    {
        StepMetrics[] steps =
        [
            .. Enumerable.Range(1, 5).Select(i => new StepMetrics
            {
                Step = i,
                Epoch = 1,
                Loss = 10.0 / i,
                Lr = 0.1 / i,
                ImagesPerSecond = 1,
                GradNorm = 1,
                TargetCosine = 0,
                HardestNegativeCosine = 0,
            }),
        ];
        EpochMetrics epoch = new()
        {
            Step = 5,
            Epoch = 1,
            Loss = 1,
            Lr = 0.1,
            TargetCosine = 0.5,
            HardestNegativeCosine = 0.1,
            Threshold = 0.3,
            TargetHistogram = [.. new long[79], 5],
            HardestNegativeHistogram = [.. new long[40], 3, .. new long[39]],
        };
        VerificationScores scores = new([0.9, 0.8, 0.3, 0.1], [true, true, false, false]);
        RocCurve roc = RocCurve.FromScores(scores);
        string[] charts =
        [
            Charts.Loss(steps), Charts.LearningRate(steps), Charts.Cosines([epoch, epoch with { Epoch = 2 }]), Charts.CosineHistogram("h", epoch),
                Charts.Scores("s", scores, 0.5),
            Charts.Roc(("untrained", roc), ("trained", roc)), Charts.Det(("untrained", roc), ("trained", roc)), Charts.Loss([]),
                Charts.LearningRate([]), Charts.Cosines([]),
        ];
        Assert.All(charts, svg => Assert.Equal("svg", XElement.Parse(svg).Name.LocalName));
        Assert.Contains("learned threshold 0.30", charts[3], StringComparison.Ordinal);
        Assert.Contains("calibrated threshold 0.50", charts[4], StringComparison.Ordinal);
        Assert.All(new[] { "untrained", "trained" }, name => Assert.Contains(XElement.Parse(charts[5]).Descendants("text"), t => t.Value == name));
        Assert.Equal(2, XElement.Parse(charts[5]).Descendants("path").Count());
    }

    [Fact]
    public void The_roc_begins_at_the_smallest_supported_rate_and_at_the_match_rate_there()
    {
        // 100 pairs of different people from 0 to 0.6 support a false match rate of 1 %; there, four fifths of the others, from 0.5 to 1, match.
        double[] cosines = [.. Enumerable.Range(0, 100).Select(i => 0.5 + (i / 200.0)), .. Enumerable.Range(0, 100).Select(i => i * 0.6 / 99)];
        VerificationScores scores = new(cosines, [.. Enumerable.Range(0, 200).Select(i => i < 100)]);
        string[] texts = [.. XElement.Parse(Charts.Roc(("model", RocCurve.FromScores(scores)))).Descendants("text").Select(text => text.Value)];
        Assert.All((string[])["1%", "10%", "100%", "80%"], tick => Assert.Contains(tick, texts));
        Assert.All((string[])["0.1%", "0%", "60%"], tick => Assert.DoesNotContain(tick, texts));
    }

    [Theory]
    [InlineData(new[] { 0.97, 0.91, 0.87, 0.88 }, new[] { "0.86", "0.9", "0.98" })]
    [InlineData(new[] { 0.97, 0.7, -0.12, 0.3 }, new[] { "0", "0.4", "1" })]
    [InlineData(new[] { 0.9, 0.9, 0.9, 0.9 }, new[] { "0.9" })]
    [InlineData(new[] { -1.0, 1.0, 1.0, -1.0 }, new[] { "-1", "0", "1" })]
    public void The_axis_of_scores_fits_the_models_cosines(double[] cosines, string[] ticks)
    {
        XElement svg = XElement.Parse(Charts.Scores("s", new VerificationScores(cosines, [true, true, false, false]), cosines[1]));
        string[] texts = [.. svg.Descendants("text").Select(text => text.Value)];
        Assert.All(ticks, tick => Assert.Contains(tick, texts));
        double[] widths = [.. svg.Descendants("rect").Where(r => ((string?)r.Attribute("class"))?.StartsWith("bar f", StringComparison.Ordinal) == true)
            .Select(r => (double)r.Attribute("height")!)];
        Assert.Contains(widths, height => height > 0);
    }

    [Fact]
    public void Gradient_of_the_unified_loss_matches_its_formula()
    {
        const int Classes = 50;
        const double Scale = 16, Margin = 0.3;
        LossShape shape = LossShape.Measure("uce", new UnifiedCrossEntropy { Margin = 0.3, Scale = 16 }, Classes);
        double b = Math.Log(10.0 * Classes);
        foreach ((double degrees, double pull) in shape.Points)
        {
            // d/dangle softplus(b - s (cos angle - m)) = s sin(angle) sigmoid(b - s (cos angle - m))
            double angle = degrees * Math.PI / 180, expected = Math.Sin(angle) / (1 + Math.Exp((Scale * (Math.Cos(angle) - Margin)) - b));
            Assert.Equal(expected, pull, 1e-6);
        }
    }

    [Fact]
    public void Gradient_of_normface_is_one_minus_its_softmax()
    {
        const int Classes = 50;
        LossShape shape = LossShape.Measure("normface", new NormFace { Scale = 10 }, Classes);
        foreach ((double degrees, double pull) in shape.Points)
        {
            double angle = degrees * Math.PI / 180, own = Math.Exp(10 * Math.Cos(angle));
            Assert.Equal((1 - (own / (own + Classes - 1))) * Math.Sin(angle), pull, 1e-6);
        }
    }
}
