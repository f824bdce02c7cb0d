using CsCheck;
using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>A step in tiles, over one batch or several, equals autograd over the whole matrix followed by plain SGD.</summary>
[Collection(SerialCollection.Name)]
public class HeadStepTests
{
    public static TheoryData<string> Variants => LossVariants.Names;

    /// <summary>
    /// A step over two batches equals a step over both at once: one decay, one update, and one selection of negatives for both batches,
    /// whether the head updates the centers (SGD) or accumulates their gradient for an optimizer (AdamW).
    /// </summary>
    [Theory]
    [InlineData("uce(bias=5)", true)]
    [InlineData("cosface", true)]
    [InlineData("uce(bias=5,negative-rate=0.4)", true)]
    [InlineData("uce(bias=5,negative-rate=0.4)", false)]
    [InlineData("subcenter-arcface(negative-rate=0.4)", true)]
    [InlineData("subcenter-arcface(negative-rate=0.4)", false)]
    public void A_step_over_two_batches_is_a_step_over_both_at_once(string text, bool sgd)
    {
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(text);
        PlainBatch whole = LossVariants.Batch(5, 8, 20, 6, spec.Has("subcenters") ? 3 : 1);
        using RecognitionHead once = LossVariants.Head(spec, whole);
        using RecognitionHead parts = LossVariants.Head(spec, whole);
        Tensor x = LossVariants.Rows(whole.Embeddings);
        Tensor labels = LossVariants.Labels(whole);
        CenterUpdate update = sgd ? new CenterUpdate.Sgd(0.001, 0.9, 0.01) : CenterUpdate.Accumulate;
        for (int round = 0; round < 3; round++)
        {
            using HeadOutput expected = once.ForwardBackward(x, labels, update: update);
            HeadStep step = parts.BeginStep([labels.narrow(0, 0, 3), labels.narrow(0, 3, 5)], update);
            using HeadOutput first = step.Add(x.narrow(0, 0, 3), scale: 3.0 / 8);
            using HeadOutput second = step.Add(x.narrow(0, 3, 5), scale: 5.0 / 8);
            Assert.Equal(expected.Loss, (first.Loss * 3 + second.Loss * 5) / 8, 1e-9);
            Near(1e-9, "embeddings", expected.EmbeddingGradient, cat([first.EmbeddingGradient, second.EmbeddingGradient]));
            Near(1e-9, "centers", once.Centers.Weight, parts.Centers.Weight);
            Near(1e-9, "momentum or gradient", once.Centers.Momentum ?? once.Centers.Weight.grad!, parts.Centers.Momentum ?? parts.Centers.Weight.grad!);
            Assert.Throws<InvalidOperationException>(() => step.Add(x.narrow(0, 0, 3)));
        }
    }

    /// <summary>A step that lacks a batch has decayed the momentum without moving the centers, so the next step is refused until it is complete.</summary>
    [Fact]
    public void A_step_is_refused_while_the_one_before_lacks_a_batch()
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = Loss.Parse("uce").CreateHead(5, 4, seed: 3);
        Tensor x = ones([2, 4]), labels = tensor(new[] { 0L, 1L });
        head.BeginStep([labels, labels]); // A step without any batch has changed nothing.
        HeadStep step = head.BeginStep([labels, labels], new CenterUpdate.Sgd(0.1, 0.9, 0.01));
        step.Add(x, scale: 0.5).Dispose();
        Assert.Throws<InvalidOperationException>(() => head.BeginStep([labels]));
        step.Add(x, scale: 0.5).Dispose();
        head.ForwardBackward(x, labels).Dispose();
    }

    /// <summary>Rows that a step does not use keep every bit of value and momentum, also with weight decay.</summary>
    [Fact]
    public void Rows_that_a_step_does_not_use_are_not_touched()
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = Loss.Parse("uce(negative-rate=0.2)").CreateHead(50, 6, seed: 3);
        CenterUpdate.Sgd update = new(0.1, 0.9, 0.01);
        for (int step = 0; step < 4; step++)
        {
            long[] labels = [3, 41];
            using RecognitionHead same = Loss.Parse("uce(negative-rate=0.2)").CreateHead(50, 6, seed: 3);
            same.get_buffer("centers.sampling")!.copy_(head.get_buffer("centers.sampling")!);
            long[] used = LossVariants.Ids(same.Centers.Select(labels));
            Tensor before = head.Centers.Weight.clone();
            Tensor? momentum = head.Centers.Momentum?.clone();
            head.ForwardBackward(randn([2, 6]), tensor(labels), update: update).Dispose();
            Tensor moved = (head.Centers.Weight - before).abs().sum([1]) > 0;
            Assert.Equal(used, Enumerable.Range(0, 50).Where(c => moved[c].item<bool>()).Select(c => (long)c));
            if (momentum is not null)
            {
                Tensor changed = (head.Centers.Momentum! - momentum).abs().sum([1]) > 0;
                Assert.Equal(used, Enumerable.Range(0, 50).Where(c => changed[c].item<bool>()).Select(c => (long)c));
            }
        }
    }

    [Fact]
    public void Centers_stay_finite_after_input_that_is_not()
    {
        foreach (string name in new[] { "uce", "cosface" })
        {
            using DisposeScope scope = NewDisposeScope();
            using RecognitionHead head = Loss.Parse(name).CreateHead(50, 6, seed: 3);
            head.TileSize = 8;
            Tensor x = randn([4, 6]);
            x[2, 3] = double.NaN;
            using HeadOutput output = head.ForwardBackward(x, tensor(new long[] { 3, 41, 7, 3 }), update: new CenterUpdate.Sgd(0.1, 0.9, 0.01));
            Assert.True(double.IsNaN(output.Loss), name);
            Assert.True(head.Centers.Weight.isfinite().all().item<bool>(), name);
        }
    }

    /// <summary>The mean of many roundings is the value.</summary>
    [Fact]
    public void Stochastic_rounding_keeps_the_mean_and_what_bfloat16_can_hold()
    {
        using DisposeScope scope = NewDisposeScope();
        float[] values = [1f, 1.001f, -0.37f, 3.14159f, 1e-20f, 0f, -65_000.4f, 1.5f];
        double[] sum = new double[values.Length];
        const int Times = 20_000;
        for (int i = 0; i < Times; i++)
        {
            float[] rounded = Rounded(values, unchecked((uint)(i + 1) * 0x9E3779B9));
            for (int v = 0; v < sum.Length; v++)
            {
                sum[v] += rounded[v];
            }
        }

        // A step of bfloat16 is at most 2^-7 of the value; the mean of n draws is within a few times step / sqrt(n).
        Assert.All(values.Zip(sum, (v, s) => (s / Times - v) / Math.Max(Math.Abs(v), 1e-30)), e => Assert.InRange(e, -3e-4, 3e-4));
        Assert.Equal([1, 0, 1.5f], Rounded([1, 0, 1.5f], 77));
        float[] many = randn([100_003]).data<float>().ToArray();
        Assert.All(many.Zip(Rounded(many, 5)), e => Assert.True(Math.Abs(e.Second - e.First) <= Math.Abs(e.First) * Math.Pow(2, -7), $"{e}"));
    }

    private static float[] Rounded(float[] values, uint seed)
    {
        ushort[] rounded = new ushort[values.Length];
        StochasticRounding.Round(System.Runtime.InteropServices.MemoryMarshal.Cast<float, uint>(values.AsSpan()), rounded, seed);
        return [.. rounded.Select(r => BitConverter.UInt32BitsToSingle((uint)r << 16))];
    }

    /// <summary>Centers in bfloat16 learn like those in float32: updates far below the resolution of the type are not lost.</summary>
    [Fact]
    public void Centers_stored_in_bfloat16_follow_those_in_float32()
    {
        using DisposeScope scope = NewDisposeScope();
        PlainBatch batch = LossVariants.Batch(5, 16, 40, 8, 1);
        double[] losses = [.. new[] { ScalarType.Float32, ScalarType.BFloat16 }.Select(type =>
        {
            using RecognitionHead head = Loss.Parse("uce(scale=16,bias=2)").CreateHead(40, 8, seed: 3, centers: type);
            Assert.Equal(type, head.Centers.Weight.dtype);
            double loss = 0;
            for (int step = 0; step < 400; step++)
            {
                CenterUpdate.Sgd update = new(0.002, 0.9, 0);
                using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), update: update);
                loss = output.Loss;
            }

            return loss;
        })];
        Assert.InRange(losses[1], losses[0] * 0.9, losses[0] * 1.1);
    }

    /// <summary>
    /// Loss, embedding gradient, updated centers, bias and state equal those of autograd after two steps of SGD. In float64 to 1e-9. In float32 to 1e-5
    /// for the sums, plus 2^-21 of the largest logit, a few times its rounding, which is the relative error of e^logit; plus the change of the
    /// specification itself when its input changes by 2^-19: at the jump of a margin or mask, a rounded cosine can lie on the other side.
    /// </summary>
    [Theory]
    [MemberData(nameof(Variants))]
    public void Two_steps_equal_those_of_autograd_and_plain_SGD(string text)
    {
        // Includes repeated labels, classes absent from the batch, tiles that do not divide the number of classes, weights and scaled steps.
        Gen.Select(Gen.Int[1, 9], Gen.Int[5, 40], Gen.Int[3, 12], Gen.Int[1, 17], Gen.Int[0, 1 << 20], Gen.Bool)
            .Sample(
                (samples, classes, size, tile, seed, sampled) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    Loss spec = Loss.Parse(text);
                    double[] margins = [.. Enumerable.Range(0, samples).Select(i => 0.3 + 0.02 * i)];
                    StepCase steps = new(sampled ? spec.With("negative-rate", "0.5") : spec, sampled, margins);
                    PlainBatch batch = LossVariants.Batch(seed, samples, classes, size, steps.SubCenters);
                    List<StepResult> expected = Specification(steps, batch);
                    List<StepResult>[] nearby = [.. new[] { 1, 2 }.SelectMany(
                        draw => new[] { Math.Pow(2, -19), -Math.Pow(2, -19) }.Select(by => Specification(steps, Moved(batch, draw, by))))];
                    string at = $"{steps.Spec}, B {samples}, C {classes}, D {size}, tile {tile}, seed {seed}";
                    Compare(at + ", float64", expected, Ours(steps, batch, tile, ScalarType.Float64), [], 1e-9);
                    double tolerance = 1e-5 + (LargestLogit(steps, batch) * Math.Pow(2, -21));
                    Compare(at + ", float32", expected, Ours(steps, batch, tile, ScalarType.Float32), nearby, tolerance);
                },
                iter: 3,
                threads: 1);
    }

    private static List<StepResult> Specification(StepCase steps, PlainBatch batch)
    {
        using RecognitionHead head = LossVariants.Head(steps.Spec, batch, ScalarType.Float64, steps.Margins);
        AutogradHead plain = new(head);
        Tensor velocity = zeros_like(head.Centers.Weight);
        List<StepResult> results = [];
        for (int step = 0; step < 2; step++)
        {
            (Tensor x, Tensor labels, Tensor weights) = steps.Input(batch, step);
            long[]? used = steps.Sampled ? LossVariants.Ids(head.Centers.Select(labels.data<long>().ToArray())) : null;
            head.zero_grad();
            double loss = plain.ForwardBackward(x, labels, weights, 0.5, used);
            using (no_grad())
            {
                Tensor classes = used is null ? arange(head.Classes, ScalarType.Int64) : tensor(used);
                Tensor rows = (classes.unsqueeze(1) * steps.SubCenters + arange(steps.SubCenters)).flatten();
                Tensor weight = head.Centers.Weight.index_select(0, rows);
                Tensor moved = velocity.index_select(0, rows) * StepCase.Momentum + head.Centers.Weight.grad!.index_select(0, rows) + weight * StepCase.Decay;
                velocity.index_copy_(0, rows, moved);
                head.Centers.Weight.index_copy_(0, rows, weight - moved * steps.Rate);
            }

            results.Add(new StepResult(steps, head, loss, x.grad!, velocity));
        }

        return results;
    }

    private static List<StepResult> Ours(StepCase steps, PlainBatch batch, int tile, ScalarType dtype)
    {
        using RecognitionHead head = LossVariants.Head(steps.Spec, batch, dtype, steps.Margins);
        head.TileSize = tile * steps.SubCenters;
        List<StepResult> results = [];
        for (int step = 0; step < 2; step++)
        {
            (Tensor x, Tensor labels, Tensor weights) = steps.Input(batch, step);
            head.zero_grad();
            HeadOutput output = head.ForwardBackward(x.detach(), labels, weights, 0.5, new CenterUpdate.Sgd(steps.Rate, StepCase.Momentum, StepCase.Decay));
            Assert.Null(head.Centers.Weight.grad);
            results.Add(new StepResult(steps, head, output.Loss, output.EmbeddingGradient, head.Centers.Momentum!));
        }

        return results;
    }

    private static void Compare(string at, List<StepResult> expected, List<StepResult> ours, List<StepResult>[] nearby, double tolerance)
    {
        for (int step = 0; step < expected.Count; step++)
        {
            foreach ((string name, (double[] right, double floor)) in expected[step].Values)
            {
                double sensitivity = nearby.Select(n => Difference(right, n[step].Values[name].Values)).DefaultIfEmpty(0).Max();
                double difference = Difference(right, ours[step].Values[name].Values);
                double allowed = tolerance * Math.Max(floor, right.Max(Math.Abs)) + sensitivity;
                Assert.True(difference <= allowed, $"{at}, step {step}, {name}: off by {difference}, allowed {allowed}, of which sensitivity {sensitivity}");
            }
        }
    }

    // Without a scale, a logit is an inner product, which grows with the lengths.
    private static double LargestLogit(StepCase steps, PlainBatch batch)
    {
        static double Longest(double[][] rows) => rows.Max(row => Math.Sqrt(row.Sum(v => v * v)));
        return steps.Spec.Has("scale") ? steps.Scale : Math.Max(steps.Scale, Longest(batch.Embeddings) * Longest(batch.Centers));
    }

    private static double Difference(double[] a, double[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();

    /// <summary>The batch with every value changed by a random share of at most <paramref name="by"/>; the opposite sign moves it the opposite way.</summary>
    private static PlainBatch Moved(PlainBatch batch, int draw, double by)
    {
        Random random = new(draw);
        double[][] Move(double[][] rows) => [.. rows.Select(row => row.Select(v => v * (1 + by * (2 * random.NextDouble() - 1))).ToArray())];
        return batch with { Embeddings = Move(batch.Embeddings), Centers = Move(batch.Centers) };
    }

    /// <summary>Relative to the largest value, because sums may cancel.</summary>
    private static void Near(double tolerance, string what, Tensor expected, Tensor ours)
    {
        double[] right = LossVariants.Values(expected.detach());
        double allowed = tolerance * Math.Max(1e-2, right.Max(Math.Abs));
        Assert.True(Difference(right, LossVariants.Values(ours.detach())) <= allowed, $"{what} differ by more than {allowed}");
    }

    /// <summary>What the two steps of a comparison have in common.</summary>
    private sealed record StepCase(Loss Spec, bool Sampled, double[] Margins)
    {
        public const double Momentum = 0.9;
        public const double Decay = 5e-4;

        public int SubCenters { get; } = Spec.Has("subcenters") ? (int)Spec.Number("subcenters") : 1;

        public double Scale { get; } = Spec.Has("scale") ? Spec.Number("scale") : 30;

        public double Rate => 0.02 / Scale;

        public (Tensor X, Tensor Labels, Tensor Weights) Input(PlainBatch batch, int step) => (
            (LossVariants.Rows(batch.Embeddings) * (1 + 0.1 * step)).requires_grad_(true),
            LossVariants.Labels(batch),
            tensor(Margins.Select((_, i) => 0.5 + (i % 3)).ToArray()));
    }

    /// <summary>
    /// The results of a step by name, each with the size below which it is not compared relative to itself: a gradient is s times a probability, and
    /// one that cancels to less than a hundredth of s is compared on that scale.
    /// </summary>
    private sealed class StepResult
    {
        public StepResult(StepCase steps, RecognitionHead head, double loss, Tensor embeddingGradient, Tensor momentum)
        {
            Values["loss"] = ([loss], 1);
            Add("embeddings", embeddingGradient, steps.Scale);
            Add("centers", head.Centers.Weight, 1);
            Add("momentum", momentum, steps.Scale);
            if (LossVariants.Bias(head) is Tensor bias)
            {
                Add("bias", bias.grad!, steps.Scale);
            }

            foreach ((string name, Tensor buffer) in head.named_buffers().Where(b => !b.name.EndsWith("random", StringComparison.Ordinal)))
            {
                Add(name, buffer, 1);
            }
        }

        public Dictionary<string, (double[] Values, double Floor)> Values { get; } = [];

        private void Add(string name, Tensor tensor, double scale) => Values[name] = (LossVariants.Values(tensor.detach()), 1e-2 * scale);
    }
}
