using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Head.Margins;
using UniFace.Training.Head.Objectives;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>Weights, gradient scale, reported cosines and errors of a head, whatever its loss.</summary>
public class HeadContractTests
{
    [Theory]
    [MemberData(nameof(GradientTests.Variants), MemberType = typeof(GradientTests))]
    public void Loss_and_gradient_are_linear_in_the_weights(string text)
    {
        // All batches have the same samples, because some losses keep statistics of the batch; only the weights differ.
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(text);
        PlainBatch batch = LossVariants.Batch(2, 3, 4, 4, spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1);
        (double Loss, double[] Gradient) Run(params double[] weights)
        {
            using RecognitionHead head = LossVariants.Head(spec, batch, ScalarType.Float64, [0.3, 0.4, 0.5]);
            using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), tensor(weights));
            return (output.Loss, LossVariants.Values(head.Centers.Weight.grad!));
        }

        (double loss, double[] gradient) = Run(1, 2, 0.5);
        (double, double[] Gradient)[] parts = [Run(1, 0, 0), Run(0, 1, 0), Run(0, 0, 1)];
        Assert.Equal(parts[0].Item1 + 2 * parts[1].Item1 + 0.5 * parts[2].Item1, loss, 1e-9);
        IEnumerable<double> sum = gradient.Select((_, i) => parts[0].Gradient[i] + (2 * parts[1].Gradient[i]) + (0.5 * parts[2].Gradient[i]));
        Assert.All(gradient.Zip(sum), g => Assert.Equal(g.Second, g.First, 1e-9));
    }

    [Fact]
    public void A_margin_on_inner_products_is_refused()
    {
        using ClassCenters centers = new(3, 4, 1, 1, seed: 1, ScalarType.Float32, Similarity.InnerProduct);
        using CosineMargin margin = new(0.4);
        using SoftmaxObjective objective = new(scale: 1);
        Assert.Throws<ArgumentException>(() => new RecognitionHead("head", centers, margin, objective));
    }

    [Fact]
    public void A_sample_of_weight_2_is_that_sample_twice()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string name in new[] { "arcface", "uce", "magface" })
        {
            PlainBatch batch = LossVariants.Batch(2, 2, 4, 4, 1);
            PlainBatch twice = batch with { Embeddings = [.. batch.Embeddings, batch.Embeddings[1]], Labels = [.. batch.Labels, batch.Labels[1]] };
            using RecognitionHead head = LossVariants.Head(Loss.Parse(name), batch);
            using HeadOutput weighted = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), tensor(new[] { 1.0, 2.0 }));
            using HeadOutput expected = head.ForwardBackward(LossVariants.Rows(twice.Embeddings), LossVariants.Labels(twice));
            Assert.Equal(expected.Loss * 3 / 2, weighted.Loss, 1e-9);
        }
    }

    [Fact]
    public void Scale_is_on_the_gradients_alone_and_gradients_add_up()
    {
        using DisposeScope scope = NewDisposeScope();
        PlainBatch batch = LossVariants.Batch(2, 3, 4, 4, 1);
        using RecognitionHead head = LossVariants.Head(Loss.Parse("uce"), batch);
        using HeadOutput whole = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
        double[] once = LossVariants.Values(head.Centers.Weight.grad!);
        using HeadOutput half = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), null, 0.5);
        Assert.Equal(whole.Loss, half.Loss);
        double[] full = LossVariants.Values(whole.EmbeddingGradient);
        Assert.All(full.Zip(LossVariants.Values(half.EmbeddingGradient)), g => Assert.Equal(g.First / 2, g.Second, 1e-12));
        Assert.All(once.Zip(LossVariants.Values(head.Centers.Weight.grad!)), g => Assert.Equal(g.First * 1.5, g.Second, 1e-9));
    }

    [Fact]
    public void The_reported_cosines_are_those_before_the_margin()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string name in LossRegistry.Names.Where(n => n != "subcenter-arcface"))
        {
            PlainBatch batch = new([[3, 4], [0, -2]], [[1, 0], [0, 2], [-5, 0]], [1, 1, 1], [0, 1]);
            using RecognitionHead head = LossVariants.Head(Loss.Parse(name), batch);
            using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
            Assert.All(LossVariants.Values(output.TargetCosine).Zip([0.6, -1.0]), c => Assert.Equal(c.Second, c.First, 1e-12));
            Assert.All(LossVariants.Values(output.HardestNegativeCosine).Zip([0.8, 0.0]), c => Assert.Equal(c.Second, c.First, 1e-12));
        }
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        foreach (string name in LossRegistry.Names)
        {
            using RecognitionHead head = Loss.Parse(name + "(negative-rate=0.5)").CreateHead(30, 6, seed: 1);
            using Tensor embeddings = randn([8, 6]);
            using Tensor labels = arange(8, dtype: ScalarType.Int64);
            head.ForwardBackward(embeddings, labels).Dispose();
            long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            head.ForwardBackward(embeddings, labels).Dispose();
            long left = DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
            Assert.True(left == 0, $"{name}: {left} tensors");
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(-1)]
    public void A_label_out_of_range_is_named(long label)
    {
        using RecognitionHead head = Loss.Parse("uce").CreateHead(30, 6, seed: 1);
        using Tensor embeddings = randn([3, 6]);
        using Tensor labels = tensor(new[] { 0L, label, 2L });
        UniFaceException e = Assert.Throws<UniFaceException>(() => head.ForwardBackward(embeddings, labels));
        Assert.StartsWith($"label {label} of sample 1 of the batch is out of range: the head has 30 classes, 0 to 29", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using RecognitionHead head = Loss.Parse("uce").CreateHead(30, 6, seed: 1);
        using Tensor embeddings = randn([3, 6]);
        using Tensor narrow = randn([3, 5]);
        using Tensor labels = tensor(new[] { 0L, 1L, 2L });
        using Tensor short1 = tensor(new[] { 0L, 1L });
        LossVariants.AssertRefused("[B, 6]", () => head.ForwardBackward(narrow, labels));
        LossVariants.AssertRefused("labels are [2]", () => head.ForwardBackward(embeddings, short1));
        LossVariants.AssertRefused("weights are [2]", () => head.ForwardBackward(embeddings, labels, short1));
        LossVariants.AssertRefused("at least 2 people", () => Loss.Parse("uce").CreateHead(1, 6, 1));
        LossVariants.AssertRefused("at least 3 people", () => Loss.Parse("adacos").CreateHead(2, 6, 1));
    }
}
