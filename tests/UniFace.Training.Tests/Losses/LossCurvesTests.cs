using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Losses;
using UniFace.Training.Losses.Curves;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Losses;

/// <summary>The curves that pages and reports show are those of the losses that train.</summary>
public class LossCurvesTests
{
    public static TheoryData<string> Variants => LossVariants.Names;

    /// <summary>Losses whose gradient is the derivative of their loss, with no part held constant.</summary>
    public static TheoryData<string> Smooth =>
    [
        "normface", "softmax", "cosface", "arcface", "arcface(wrap=plain)", "arcface(wrap=easy,margin=0.3)", "combined(m1=0.9,m2=0.4,m3=0.1)",
        "uce", "uce(margin-type=arc)", "bce(margin=0.2,lambda=0.5)", "magface", "sphereface(margin=3)", "sphereface2(gradient=chain)",
        "uce(scale=16,clamp=true)",
    ];

    [Fact]
    public void Target_logits_follow_the_formulas_of_the_papers()
    {
        Logits("cosface(margin=0.35,scale=64)", theta => 64 * (Math.Cos(theta) - 0.35));
        Logits("arcface(margin=0.5,scale=30,wrap=plain)", theta => 30 * Math.Cos(theta + 0.5));
        Logits("arcface(margin=0.5,scale=30)", theta => 30 * (theta + 0.5 < Math.PI ? Math.Cos(theta + 0.5) : Math.Cos(theta) - 0.5 * Math.Sin(0.5)));
        Logits("combined(m1=1,m2=0.3,m3=0.2)", theta => 64 * (Math.Cos(theta + 0.3) - 0.2));
        Logits("uce(margin=0.4,scale=64)", theta => 64 * (Math.Cos(theta) - 0.4));
        Logits("softmax", theta => 30 * Math.Cos(theta));
        Logits("normface(scale=16)", theta => 16 * Math.Cos(theta));
    }

    [Fact]
    public void The_probability_of_the_right_class_is_that_of_softmax_among_c_classes_or_of_the_threshold()
    {
        LossCurves cosface = Compute("cosface(margin=0.2,scale=20)", new CurveOptions { Classes = 5000, OtherCosine = 0.1 });
        Equal(cosface, "probability", c => 1 / (1 + (4999 * Math.Exp(20 * (0.1 - (c - 0.2))))), 1e-9);
        LossCurves uce = Compute("uce(margin=0.4,scale=64,bias=12,lambda=0.7)", new CurveOptions { Classes = 50 });
        Equal(uce, "probability", c => 1 / (1 + Math.Exp(-((64 * (c - 0.4)) - 12))), 1e-9);
        Assert.Equal(12.0 / 64, uce.Threshold!.Value, 1e-12);
        Assert.Null(cosface.Threshold);
        LossCurves clamped = Compute("uce(margin=0.4,scale=8,bias=9,clamp=true)", new CurveOptions());
        Equal(clamped, "probability", c => 1 / (1 + Math.Exp(-((8 * (c - 0.4)) - 9))), 1e-9);
    }

    [Theory]
    [MemberData(nameof(Smooth))]
    public void The_gradient_is_the_slope_of_the_loss(string text)
    {
        LossCurves curves = Compute(text, new CurveOptions { Classes = 40, Length = 20, Points = 2000 });
        CurvePoint[] loss = Points(curves, "loss");
        CurvePoint[] gradient = Points(curves, "gradient");
        double largest = gradient.Max(p => Math.Abs(p.Y!.Value));
        int wrong = 0;
        for (int i = 1; i < loss.Length - 1; i++)
        {
            double slope = (loss[i + 1].Y!.Value - loss[i - 1].Y!.Value) / (loss[i + 1].X - loss[i - 1].X);
            wrong += Math.Abs(slope - gradient[i].Y!.Value) > 0.01 * largest ? 1 : 0;
        }

        Assert.True(wrong <= 4, $"{wrong} slopes differ; a wrap or a fold explains two points each.");
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Curves_equal_the_losses_of_a_head(string text)
    {
        Loss spec = Loss.Parse(text);
        foreach ((string name, string still) in new[] { ("t-momentum", "0"), ("t-alpha", "0"), ("dynamic", "false"), ("sigma", "0"), ("lambda-start", "0") })
        {
            spec = spec.Has(name) ? spec.With(name, still) : spec; // State that a batch would change.
        }

        CurveOptions options = new() { Classes = 6, Length = 12, Points = 9 };
        LossCurves curves = LossCurves.Compute(spec, options);
        int k = spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;

        // The own center, and all others orthogonal to the plane in which the sample rotates.
        double[][] centers = [.. Enumerable.Range(0, 6 * k).Select(row => row / k == 0 ? new double[] { 1, 0, 0 } : [0, 0, 1])];
        foreach ((CurvePoint loss, CurvePoint gradient) in Points(curves, "loss").Zip(Points(curves, "gradient")))
        {
            using DisposeScope scope = NewDisposeScope();
            double[] x = [12 * Math.Cos(loss.X), 12 * Math.Sin(loss.X), 0];
            double start = InitialBias(spec);
            using RecognitionHead head = LossVariants.Head(spec, new PlainBatch([x], centers, [.. Enumerable.Repeat(start, 6)], [0]));
            using HeadOutput output = head.ForwardBackward(LossVariants.Rows([x]), tensor(new long[] { 0 }));
            double[] g = LossVariants.Values(output.EmbeddingGradient);
            double turned = (g[0] * -12 * Math.Sin(loss.X)) + (g[1] * 12 * Math.Cos(loss.X));
            Assert.Equal(output.Loss, loss.Y!.Value, 1e-9 * Math.Max(1, Math.Abs(output.Loss)));
            Assert.Equal(turned, gradient.Y!.Value, 1e-6 * Math.Max(1, Math.Abs(turned)));
        }

        double InitialBias(Loss loss)
        {
            using RecognitionHead fresh = loss.CreateHead(6, 3, 1, ScalarType.Float64);
            return LossVariants.Bias(fresh) is TorchSharp.Modules.Parameter bias ? LossVariants.Values(bias)[0] : 0;
        }
    }

    [Fact]
    public void Decision_boundaries_lie_where_the_formulas_say()
    {
        // Centers at a right angle; cosface: cos(a) - m = cos(90 - a); arcface: a + m = 90 - a; uce: cos(a) = t + m whatever the other is.
        double m = 0.3;
        DecisionBoundary cosface = Compute("cosface(margin=0.3)", new CurveOptions()).Boundary;
        double expected = Math.Acos(m / Math.Sqrt(2)) - (Math.PI / 4);
        Assert.Equal(expected, cosface.First!.Value, 1e-4);
        Assert.Equal((Math.PI / 2) - expected, cosface.Second!.Value, 1e-4);
        Assert.Equal((Math.PI / 4) - 0.15, Compute("arcface(margin=0.3)", new CurveOptions()).Boundary.First!.Value, 1e-4);
        DecisionBoundary uce = Compute("uce(margin=0.4,scale=64,bias=10)", new CurveOptions { CentersApart = 2.5 }).Boundary;
        Assert.Equal(Math.Acos((10.0 / 64) + 0.4), uce.First!.Value, 1e-4);
        Assert.Equal(Math.PI / 4, Compute("normface", new CurveOptions()).Boundary.First!.Value, 1e-4);
        Assert.Contains(cosface.Arcs, arc => !arc.First && !arc.Second && arc.From > 0 && arc.To < Math.PI / 2);
        Assert.Equal(2 * Math.PI, cosface.Arcs[^1].To, 1e-12);
        Assert.Null(Compute("uce(margin=0.9,bias=60,scale=64)", new CurveOptions()).Boundary.First);
    }

    [Fact]
    public void Float16_loses_gradients_that_float64_keeps()
    {
        LossCurves full = Compute("cosface(margin=0.35,scale=64)", new CurveOptions { Points = 1000, Classes = 100 });
        LossCurves half = Compute("cosface(margin=0.35,scale=64)", new CurveOptions { Points = 1000, Classes = 100, Bits = 16 });
        Assert.True(Points(full, "target-logit").Select(p => p.Y).Distinct().Count() > 990);
        Assert.True(Points(half, "target-logit").Select(p => p.Y).Distinct().Count() < 950);
        Assert.Contains(Points(half, "gradient").Zip(Points(full, "gradient")), g => g.First.Y == 0 && g.Second.Y > 0);
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        LossVariants.AssertRefused("classes = 1 ", () => Compute("uce", new CurveOptions { Classes = 1 }));
        LossVariants.AssertRefused("length = 0 ", () => Compute("uce", new CurveOptions { Length = 0 }));
        LossVariants.AssertRefused("bits = 8 ", () => Compute("uce", new CurveOptions { Bits = 8 }));
        LossVariants.AssertRefused("too many", () => Compute("uce", new CurveOptions { Classes = 100_000, Points = 2000 }));
        LossVariants.AssertRefused("other-cosine", () => Compute("uce", new CurveOptions { OtherCosine = double.NaN }));
    }

    private static void Logits(string text, Func<double, double> formula) =>
        Equal(Compute(text, new CurveOptions { Classes = 10 }), "target-logit", formula, 1e-9);

    private static void Equal(LossCurves curves, string name, Func<double, double> formula, double tolerance) =>
        Assert.All(Points(curves, name), p => Assert.Equal(formula(p.X), p.Y!.Value, tolerance));

    private static CurvePoint[] Points(LossCurves curves, string name) => [.. curves.Curves.Single(c => c.Name == name).Points];

    private static LossCurves Compute(string text, CurveOptions options) => LossCurves.Compute(Loss.Parse(text), options);
}
