using CsCheck;
using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Losses;

/// <summary>Identities: losses that coincide for some hyperparameters, invariances, and limits.</summary>
public class IdentityTests
{
    public static TheoryData<string> Variants => LossVariants.Names;

    public static TheoryData<string> Angular => [.. LossVariants.All
        .Where(s => s.Name is not ("softmax" or "sphereface" or "magface" or "adaface" or "elasticface-arc" or "elasticface-cos"))
        .Select(s => s.ToString())];

    [Theory]
    [InlineData("cosface(margin=0)", "normface", 1)]
    [InlineData("arcface(margin=0,wrap=guard)", "normface", 1)]
    [InlineData("arcface(margin=0,wrap=easy,gradient=straight-through)", "normface", 1)]
    [InlineData("combined(m1=1,m2=0,m3=0.35)", "cosface(margin=0.35)", 1)]
    [InlineData("combined(m1=1,m2=0.5,m3=0,wrap=guard)", "arcface(margin=0.5)", 1)]
    [InlineData("combined(m1=1.5,m2=0,m3=0,wrap=plain,gradient=straight-through,scale=30)", "sphereface-r(margin=1.5)", 1, true)]
    [InlineData("sphereface-r(margin=1,variant=v0)", "normface(scale=30)", 1)]
    [InlineData("sphereface-r(margin=1,variant=v1)", "normface(scale=30)", 1)]
    [InlineData("sphereface-r(margin=1,variant=v2)", "normface(scale=30)", 1)]
    [InlineData("sphereface-r(margin=1,loss-weight=50)", "normface(scale=30)", 50.0 / 30)]
    [InlineData("subcenter-arcface(subcenters=1,margin=0.4)", "arcface(margin=0.4)", 1)]
    [InlineData("elasticface-arc(sigma=0)", "arcface(margin=0.5)", 1)]
    [InlineData("elasticface-cos(sigma=0)", "cosface(margin=0.35)", 1)]
    [InlineData("elasticface-cos(sigma=0,plus=true)", "cosface(margin=0.35)", 1)]
    [InlineData("magface(lm=0.5,um=0.5,lambda-g=0,wrap=guard)", "arcface(margin=0.5)", 1)]
    [InlineData("mv-am(t=0,wrap=plain)", "cosface(margin=0.35,scale=32)", 1)]
    [InlineData("mv-arc(t=0,wrap=easy)", "arcface(margin=0.5,scale=32,wrap=easy)", 1)]
    [InlineData("mv-am(t=0,mode=fixed,wrap=plain)", "cosface(margin=0.35,scale=32)", 1)]
    [InlineData("uce(margin-type=arc,margin=0.4)", "uce(margin-type=combined,m1=1,m2=0.4,m3=0)", 1)]
    [InlineData("uce(margin-type=sphere,m1=1)", "uce(margin=0)", 1)]
    public void Losses_that_coincide_for_some_hyperparameters_give_equal_results(string text, string other, double factor, bool nearOnly = false)
    {
        PlainBatch batch = LossVariants.Batch(11, 6, 5, 4, 1);
        if (nearOnly)
        {
            // Targets within pi / 1.5, where the factor on the angle does not fold.
            double[] Pull(int y, int i) => [.. batch.Centers[y].Zip(batch.Embeddings[i], (w, e) => (4 * w) + (0.1 * e))];
            batch = batch with { Embeddings = [.. batch.Labels.Select(Pull)] };
        }

        Result ours = Run(text, batch);
        Result theirs = Run(other, batch);
        Assert.Equal(theirs.Loss * factor, ours.Loss, 1e-9);
        Same(theirs.Embeddings, ours.Embeddings, factor);
        Same(theirs.Centers, ours.Centers, factor);
    }

    [Fact]
    public void AdaFace_with_h_0_is_CosFace_up_to_its_clamp()
    {
        PlainBatch batch = LossVariants.Batch(4, 6, 5, 8, 1);
        Assert.Equal(Run("cosface(margin=0.35)", batch).Loss, Run("adaface(h=0,margin=0.35)", batch).Loss, 2 * 64 * 1e-3); // Two logits, each by s * 1e-3.
        Assert.NotEqual(Run("adaface(h=0.333,margin=0.35)", batch).Loss, Run("cosface(margin=0.35)", batch).Loss, 1e-2);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.5)]
    [InlineData(1.2)]
    public void Guard_and_plain_agree_exactly_above_cos_pi_minus_m(double margin) =>
        Gen.Double[-0.999, 0.999].Where(c => Math.Abs(c - Math.Cos(Math.PI - margin)) > 1e-6).Sample(
            c =>
            {
                // At a low scale and with two classes the loss tells two targets apart.
                PlainBatch batch = new([[c, Math.Sqrt(1 - c * c)]], [[1, 0], [0.6, 0.8]], [], [0]);
                string Text(string wrap) => FormattableString.Invariant($"arcface(margin={margin},wrap={wrap},scale=2)");
                double[] losses = [Run(Text("guard"), batch).Loss, Run(Text("plain"), batch).Loss];
                Assert.Equal(c > Math.Cos(Math.PI - margin), Math.Abs(losses[0] - losses[1]) < 1e-9);
            },
            iter: 60,
            threads: 1);

    [Fact]
    public void Beyond_pi_plain_ArcFace_pushes_a_sample_away_and_guard_does_not()
    {
        PlainBatch batch = new([[-0.95, Math.Sqrt(1 - 0.95 * 0.95), 0]], [[1, 0, 0], [0, 0, 1]], [], [0]);
        Assert.True(Run("arcface(wrap=plain)", batch).Embeddings[0] > 0, "plain");
        Assert.True(Run("arcface(wrap=guard)", batch).Embeddings[0] < 0, "guard");
        Assert.True(Run("arcface(wrap=plain,gradient=straight-through)", batch).Embeddings[0] < 0, "straight-through");
    }

    [Fact]
    public void Only_the_nearest_sub_center_has_a_gradient()
    {
        PlainBatch batch = new([[1, 0.1, 0]], [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, -1, 0.5]], [], [0]);
        Result ours = Run("subcenter-arcface(subcenters=2,scale=2)", batch);
        Assert.Equal(Run("arcface(scale=2)", batch with { Centers = [[1, 0, 0], [0, 0, 1]] }).Loss, ours.Loss, 1e-12);
        Assert.Equal([0, 0, 0], ours.Centers[..3]);
        Assert.NotEqual(0, ours.Centers[4]);
        Assert.Equal([0, 0, 0], ours.Centers[9..]);
    }

    [Theory]
    [InlineData("uce(margin=0.4,lambda=0.7)", 0.7)]
    [InlineData("uce(margin=0.4,scale=10)", 1)]
    public void The_threshold_gradient_counts_errors_of_both_kinds(string text, double lambda)
    {
        PlainBatch batch = LossVariants.Batch(8, 5, 4, 4, 1);
        Loss spec = Loss.Parse(text);
        double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
        double Cosine(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(x => x * x));
        double s = spec.Number("scale");
        double expected = batch.Labels.Select((y, i) => batch.Centers.Select((w, j) => Cosine(batch.Embeddings[i], w) is double c && j == y
            ? Sigmoid(batch.Bias[0] - s * (c - 0.4))
            : -lambda * Sigmoid(s * Cosine(batch.Embeddings[i], w) - batch.Bias[0])).Sum()).Average();
        Assert.Equal(expected, Run(text, batch).Bias!.Single(), 1e-9);
    }

    [Fact]
    public void Only_the_clamped_softplus_has_no_gradient_for_a_hard_positive()
    {
        // z = s(c - m) - b is below -s for c under about -0.42.
        PlainBatch batch = new([[-0.8, 0.6, 0]], [[1, 0, 0], [0, 0, 1]], [11.57], [0]);
        Result clamped = Run("uce(clamp=true)", batch);
        Result exact = Run("uce", batch);
        Assert.Equal(64, clamped.Loss, 1e-4);
        Assert.True(clamped.Embeddings.All(g => Math.Abs(g) < 1e-3), string.Join(' ', clamped.Embeddings));
        Assert.True(exact.Embeddings[0] < -1, string.Join(' ', exact.Embeddings));
    }

    [Fact]
    public void The_softplus_is_exact_where_torch_replaces_it_by_the_identity()
    {
        // One positive at z = -22 and one negative far below: the loss is 22 + ln(1 + e^-22), 3e-10 above 22.
        PlainBatch batch = new([[1, 0]], [[0, 1], [-1, 0]], [22], [0]);
        Assert.Equal(22 + Math.Log(1 + Math.Exp(-22)) + Math.Log(1 + Math.Exp(-86)), Run("uce(margin=0)", batch).Loss, 1e-12);
        Assert.Equal(1 / (1 + Math.Exp(-22)), Run("uce(margin=0)", batch).Bias!.Single(), 1e-13);
    }

    [Fact]
    public void The_initial_threshold_of_SphereFace2_is_finite()
    {
        foreach (int classes in new[] { 2, 3, 4, 100_000 })
        {
            using RecognitionHead head = Loss.Parse("sphereface2").CreateHead(classes, 2, seed: 0, ScalarType.Float64);
            double z = 0.7 / (0.3 * (classes - 1));
            double own = 40 * (2 * 0.125 - 1.4);
            double other = 40 * (2 * 0.125 - 0.6);
            double bias = head.get_parameter("objective.bias")!.item<double>();

            // The published start is where alpha * sigmoid(-(own + b)) = (1 - alpha) * (C - 1) * sigmoid(other + b).
            Assert.Equal(0, Math.Log(z / (1 + Math.Exp(own + bias))) - Math.Log(1 / (1 + Math.Exp(-other - bias))), 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Angular))]
    public void Angular_losses_are_scale_invariant(string text)
    {
        PlainBatch batch = LossVariants.Batch(21, 5, 4, 4, K(text));
        double expected = Run(text, batch).Loss;
        Assert.Equal(expected, Run(text, batch with { Embeddings = Scaled(batch.Embeddings) }).Loss, 1e-9 * Math.Max(1, expected));
        Assert.Equal(expected, Run(text, batch with { Centers = Scaled(batch.Centers) }).Loss, 1e-9 * Math.Max(1, expected));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Loss_is_invariant_to_permutation(string text)
    {
        int k = K(text);
        PlainBatch batch = LossVariants.Batch(33, 5, 4, 4, k);
        int[] classes = [2, 0, 3, 1];
        int[] samples = [3, 4, 0, 2, 1];
        PlainBatch moved = new(
            [.. samples.Select(i => batch.Embeddings[i])],
            [.. classes.SelectMany(c => batch.Centers[(c * k)..((c + 1) * k)])],
            Loss.Parse(text).Name == "bce" ? [.. classes.Select(c => batch.Bias[c])] : batch.Bias,
            [.. samples.Select(i => Array.IndexOf(classes, batch.Labels[i]))]);
        double[] margins = [0.3, 0.35, 0.4, 0.45, 0.5];
        Result ours = Run(text, moved, [.. samples.Select(i => margins[i])]);
        Result expected = Run(text, batch, margins);
        Assert.Equal(expected.Loss, ours.Loss, 1e-9 * Math.Max(1, expected.Loss));
        Same([.. samples.SelectMany(i => expected.Embeddings[(4 * i)..(4 * i + 4)])], ours.Embeddings, 1);
    }

    [Theory]
    [InlineData("normface")]
    [InlineData("cosface")]
    [InlineData("arcface")]
    [InlineData("uce")]
    [InlineData("bce")]
    [InlineData("circle")]
    [InlineData("sphereface-r(scale=64)")]
    public void Perfect_separation_has_no_loss_and_no_threshold_gradient(string text)
    {
        double[][] axes = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]];
        Result ours = Run(text, new PlainBatch(axes, axes, [16, 16, 16], [0, 1, 2]));
        Assert.InRange(ours.Loss, 0, 1e-6);
        Assert.All(ours.Bias ?? [], g => Assert.InRange(g, -1e-6, 1e-6));
    }

    [Fact]
    public void Only_losses_with_one_threshold_report_it()
    {
        PlainBatch batch = LossVariants.Batch(1, 3, 4, 4, 1) with { Bias = [16, 16, 16, 16] };
        using RecognitionHead uce = LossVariants.Head(Loss.Parse("uce"), batch);
        using RecognitionHead bce = LossVariants.Head(Loss.Parse("bce"), batch);
        using RecognitionHead arcface = LossVariants.Head(Loss.Parse("arcface"), batch);
        using RecognitionHead sphereface2 = LossVariants.Head(Loss.Parse("sphereface2"), batch with { Bias = [10] });
        Assert.Equal(0.25, uce.Threshold);
        Assert.Null(bce.Threshold);
        Assert.Null(arcface.Threshold);

        // r * g(c) + b = 0 at the threshold c.
        Assert.Equal(0, 40 * (2 * Math.Pow((sphereface2.Threshold!.Value + 1) / 2, 3) - 1) + 10, 1e-9);
    }

    [Fact]
    public void An_automatic_threshold_starts_at_ln_10_C_r()
    {
        using RecognitionHead head = Loss.Parse("uce(negative-rate=0.5,scale=64)").CreateHead(10572, 4, seed: 0);
        Assert.Equal(Math.Log(10 * 10572 * 0.5) / 64, head.Threshold!.Value, 1e-6);
    }

    private static double[][] Scaled(double[][] rows) => [.. rows.Select((r, i) => r.Select(v => v * (0.3 + 1.7 * i)).ToArray())];

    private static int K(string text) => Loss.Parse(text) is Loss spec && spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;

    private static Result Run(string text, PlainBatch batch, double[]? margins = null)
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = LossVariants.Head(Loss.Parse(text), batch, ScalarType.Float64, margins);
        using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
        return new Result(
            output.Loss,
            LossVariants.Values(output.EmbeddingGradient),
            LossVariants.Values(head.Centers.Weight.grad!),
            LossVariants.Bias(head) is Tensor ? LossVariants.Values(LossVariants.Bias(head)!.grad!) : null);
    }

    private static void Same(double[] expected, double[] ours, double factor)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(ours[i] - expected[i] * factor) < 1e-9, $"[{i}] {ours[i]}, expected {expected[i] * factor}");
        }
    }

    private sealed record Result(double Loss, double[] Embeddings, double[] Centers, double[]? Bias);
}
