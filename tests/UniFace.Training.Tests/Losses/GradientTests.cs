using CsCheck;
using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Losses;

/// <summary>Loss and gradients equal the papers' formulas, implemented separately in plain doubles, and their finite differences.</summary>
public class GradientTests
{
    public static TheoryData<string> Variants => LossVariants.Names;

    [Theory]
    [MemberData(nameof(Variants))]
    public void Loss_and_gradients_are_those_of_the_formula_in_plain_doubles(string text)
    {
        Loss spec = Loss.Parse(text);
        int k = spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;
        Gen.Select(
                Gen.Int[0, 1_000_000],
                Gen.Int[2, 5],
                Gen.Int[3, 5],
                Gen.Int[3, 4],
                (seed, samples, classes, size) => (Seed: seed, Batch: LossVariants.Batch(seed, samples, classes, size, k)))
            .Where(draw => IsSmooth(spec, draw.Batch))
            .Sample(draw => Compare(spec, draw.Batch, draw.Seed), iter: 3, threads: 1);
    }

    [Theory]
    [InlineData("combined(m1=0.9,m2=0.5,m3=0.1,wrap=guard)")]
    [InlineData("combined(m1=1.4,m2=0,m3=0,wrap=guard)")]
    [InlineData("combined(m1=1.4,m2=0.2,m3=0.1,wrap=easy)")]
    [InlineData("uce(margin-type=combined,m1=1.3,m2=0.3,m3=0.1,lambda=0.6,scale=20)")]
    [InlineData("uce(margin=0.1,scale=4,lambda=0.5,clamp=true)")]
    [InlineData("bce(margin=0.3,scale=8,lambda=2,clamp=true)")]
    [InlineData("sphereface(margin=3,lambda=2,lambda-start=0)")]
    [InlineData("sphereface-r(margin=2.7,loss-weight=50)")]
    [InlineData("magface(la=5,ua=15,lm=0.2,um=1.2)")]
    [InlineData("adaface(h=3,t-alpha=0.9,margin=0.5)")]
    [InlineData("curricularface(t-momentum=0.9,margin=0.3)")]
    [InlineData("sphereface2(t=1,margin=0.1,alpha=0.9,scale=20,gradient=chain)")]
    [InlineData("subcenter-arcface(subcenters=2,margin=0.3)")]
    public void Loss_and_gradients_equal_the_formula_away_from_defaults(string text) =>
        Loss_and_gradients_are_those_of_the_formula_in_plain_doubles(text);

    [Theory]
    [InlineData("arcface(gradient=straight-through,wrap=plain)")]
    [InlineData("combined(gradient=straight-through,m1=1.2)")]
    [InlineData("sphereface-r(scale=64)")]
    public void The_straight_through_gradient_is_s_times_p_minus_onehot(string text)
    {
        // With orthogonal unit centers and a unit embedding, the gradient of the embedding is dL/dc minus its component along the
        // embedding.
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(text);
        double[][] axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
        double[] x = [0.48, 0.6, 0.64];
        using RecognitionHead head = LossVariants.Head(spec, new PlainBatch([x], axes, [], [1]));
        using HeadOutput output = head.ForwardBackward(LossVariants.Rows([x]), tensor(new long[] { 1 }));
        double s = spec.Number("scale");
        double psi = Psi(spec, 0.6);
        double[] logits = [s * x[0], s * psi, s * x[2]];
        double[] p = [.. logits.Select(l => Math.Exp(l) / logits.Sum(Math.Exp))];
        double[] slope = [s * p[0], s * (p[1] - 1), s * p[2]];
        double radial = slope.Zip(x, (a, b) => a * b).Sum();
        double[] expected = [.. slope.Zip(x, (a, b) => a - radial * b)];
        Assert.All(LossVariants.Values(output.EmbeddingGradient).Zip(expected), e => Assert.Equal(e.Second, e.First, 1e-10));
    }

    [Fact]
    public void Near_cosine_1_and_minus_1_float32_keeps_its_gradients_right()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string text in new[] { "arcface(wrap=plain,scale=4)", "combined(m1=1.3,m2=0.2,scale=4)", "uce(margin-type=arc,wrap=plain)" })
        {
            foreach (double sign in new[] { 1.0, -1.0 })
            {
                PlainBatch batch = new([[sign, 0.003, 0.002, -0.001]], [[1, 0, 0, 0], [0, 1, 0, 0], [0.3, 0.1, 0.2, 1]], [2, 2, 2], [0]);
                double[][] gradients = [.. new[] { ScalarType.Float64, ScalarType.Float32 }.Select(dtype =>
                {
                    using RecognitionHead head = LossVariants.Head(Loss.Parse(text), batch, dtype);
                    using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
                    return LossVariants.Values(output.EmbeddingGradient);
                })];
                double size = gradients[0].Max(Math.Abs);
                Assert.All(gradients[0].Zip(gradients[1]), g => Assert.True(Math.Abs(g.First - g.Second) < 1e-4 * size, $"{text} {sign}: {g}"));
            }
        }
    }

    /// <summary>
    /// No angle is within 0.01 of 0 or pi, where a function of the angle has a kink: the error of a difference over steps of 1e-4 is about
    /// (1e-4 / angle)^4, below 1e-8 outside.
    /// </summary>
    private static bool IsSmooth(Loss spec, PlainBatch batch) =>
        spec.Name == "softmax" || Pairs.Create(spec, batch, batch).Similarity.All(row => row.All(c => 1 - c * c > 1e-4));

    private static double Psi(Loss spec, double c) => spec.Name switch
    {
        "arcface" => Math.Cos(Math.Acos(c) + spec.Number("margin")),
        "combined" => Math.Cos(1.2 * Math.Acos(c) + 0.3) - 0.2,
        _ => Math.Cos(1.5 * Math.Acos(c)),
    };

    private static void Compare(Loss spec, PlainBatch batch, int seed)
    {
        using DisposeScope scope = NewDisposeScope();
        double[]? margins = spec.Name.StartsWith("elastic", StringComparison.Ordinal) ? [.. batch.Labels.Select((_, i) => 0.3 + 0.05 * i)] : null;
        using RecognitionHead head = LossVariants.Head(spec, batch, ScalarType.Float64, margins);
        using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
        double expected = PlainLosses.Loss(spec, batch, margins);
        Assert.True(Math.Abs(output.Loss - expected) <= 1e-9 * Math.Max(1, Math.Abs(expected)), $"seed {seed}: loss {output.Loss}, expected {expected}");
        Equal("embeddings", PlainLosses.Gradient(spec, batch, b => b.Embeddings, margins), LossVariants.Values(output.EmbeddingGradient), seed);
        Equal("centers", PlainLosses.Gradient(spec, batch, b => b.Centers, margins), LossVariants.Values(head.Centers.Weight.grad!), seed);
        if (LossVariants.Bias(head) is TorchSharp.Modules.Parameter bias)
        {
            Equal("bias", PlainLosses.Gradient(spec, batch, b => [b.Bias], margins)[..(int)bias.shape[0]], LossVariants.Values(bias.grad!), seed);
        }
    }

    private static void Equal(string what, double[] expected, double[] ours, int seed)
    {
        double size = Math.Max(1, expected.Max(Math.Abs));
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(ours[i] - expected[i]) <= 1e-6 * size, $"seed {seed}: gradient of {what}[{i}] {ours[i]}, expected {expected[i]}");
        }
    }
}
