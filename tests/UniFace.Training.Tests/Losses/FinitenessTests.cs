using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Losses;

/// <summary>No loss, gradient or state is ever infinite or NaN for finite input, however extreme.</summary>
public class FinitenessTests
{
    public static TheoryData<string> Variants => LossVariants.Names;

    [Theory]
    [MemberData(nameof(Variants))]
    public void Loss_and_gradients_are_finite_at_extreme_inputs(string text)
    {
        // Samples: on their own center; opposite to it; on another center; of length 0; of a class whose center has length 0; equal to the
        // center up to rounding; tiny; long.
        double[] odd = [0.3, -0.7, 0.123456789];
        PlainBatch batch = new(
            [[2, 0, 0], [-3, 0, 0], [0, 5, 0], [0, 0, 0], [1, 2, 3], [.. odd.Select(v => v * 7.7)], [1e-9, 0, 0], [0, 3e4, 1]],
            [[1, 0, 0], [0, 1, 0], [0, 0, 0], odd],
            [2, 2, 2, 2],
            [0, 0, 0, 1, 2, 3, 0, 2]);
        Loss usual = Loss.Parse(text);
        foreach (Loss spec in usual.Has("scale") ? [usual, usual.With("scale", "10000"), usual.With("scale", "0.001")] : new[] { usual })
        {
            foreach (ScalarType dtype in new[] { ScalarType.Float32, ScalarType.Float64 })
            {
                Finite(spec, batch, dtype);
            }
        }
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Half_precision_embeddings_are_computed_in_float32(ScalarType half)
    {
        using DisposeScope scope = NewDisposeScope();
        PlainBatch batch = LossVariants.Batch(3, 4, 5, 4, 1);
        using Tensor rounded = LossVariants.Rows(batch.Embeddings).to(half);
        using RecognitionHead first = LossVariants.Head(Loss.Parse("arcface"), batch, ScalarType.Float32);
        using RecognitionHead second = LossVariants.Head(Loss.Parse("arcface"), batch, ScalarType.Float32);
        using HeadOutput of = first.ForwardBackward(rounded, LossVariants.Labels(batch));
        using HeadOutput expected = second.ForwardBackward(rounded.to(ScalarType.Float32), LossVariants.Labels(batch));
        Assert.Equal(expected.Loss, of.Loss);
        Assert.Equal(half, of.EmbeddingGradient.dtype);
        Assert.True(first.Centers.Weight.grad!.Equals(second.Centers.Weight.grad!));
        Assert.True(of.EmbeddingGradient.Equals(expected.EmbeddingGradient.to(half)));
    }

    private static void Finite(Loss spec, PlainBatch batch, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        int k = spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;
        PlainBatch spread = batch with { Centers = [.. batch.Centers.SelectMany(c => Enumerable.Repeat(c, k))] };
        using RecognitionHead head = LossVariants.Head(spec, spread, dtype);
        using HeadOutput output = head.ForwardBackward(LossVariants.Rows(spread.Embeddings).to(dtype), LossVariants.Labels(spread));
        Assert.True(double.IsFinite(output.Loss), $"{spec} {dtype}: loss {output.Loss}");
        Assert.True(output.EmbeddingGradient.isfinite().all().item<bool>(), $"{spec} {dtype}: {Show(output.EmbeddingGradient)}");
        Assert.All(head.parameters(), p => Assert.True(p.grad!.isfinite().all().item<bool>(), $"{spec} {dtype}: {Show(p.grad!)}"));
        Assert.All(head.buffers(), b => Assert.True(b.isfinite().all().item<bool>(), $"{spec} {dtype}: state {Show(b)}"));
        foreach (Tensor cosines in new[] { output.TargetCosine, output.HardestNegativeCosine })
        {
            Assert.True((cosines.abs() <= 1).all().item<bool>(), $"{spec} {dtype}: {Show(cosines)}");
        }

        Assert.Equal([1, -1, 0, 0, 0], LossVariants.Values(output.TargetCosine)[..5]);
    }

    private static string Show(Tensor tensor) => string.Join(' ', LossVariants.Values(tensor));
}
