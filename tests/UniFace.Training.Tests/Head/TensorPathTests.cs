using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>
/// The engine with tensors, which other devices use and the CPU has a fast path around, gives the loss and the gradients of plain autograd in
/// float64: with everything in float32, and with embeddings and class centers in bfloat16, whose arithmetic is float32.
/// </summary>
public class TensorPathTests
{
    private const int Samples = 6;
    private const int Classes = 30;

    public static TheoryData<string, ScalarType> Cases
    {
        get
        {
            TheoryData<string, ScalarType> cases = [];
            foreach (Loss loss in LossVariants.All)
            {
                cases.Add(loss.ToString(), ScalarType.Float32);
                cases.Add(loss.ToString(), ScalarType.BFloat16);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Loss_and_gradients_are_those_of_autograd_in_float64(string text, ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(text);
        int k = spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;
        PlainBatch batch = LossVariants.Batch(11, Samples, Classes, 16, k);
        double[]? margins = spec.Name.StartsWith("elastic", StringComparison.Ordinal) ? [.. batch.Labels.Select((_, i) => 0.3 + (0.05 * i))] : null;
        using RecognitionHead head = LossVariants.Head(spec, batch, ScalarType.Float32, margins, type);
        head.AllowRowPass = false;
        head.TileSize = 7;
        Assert.Equal(type, head.Centers.Weight.dtype);
        using RecognitionHead exact = LossVariants.Head(spec, batch, ScalarType.Float64, margins);
        using (no_grad())
        {
            exact.Centers.Weight.copy_(head.Centers.Weight); // The rounded ones.
        }

        Tensor x = LossVariants.Rows(batch.Embeddings).to(type); // [B, D]
        Tensor leaf = x.to(ScalarType.Float64).requires_grad_();
        double expected = new AutogradHead(exact).ForwardBackward(leaf, LossVariants.Labels(batch));
        using HeadOutput output = head.ForwardBackward(x, LossVariants.Labels(batch), update: new CenterUpdate.Sgd(1e-3, 0.9, 0));
        double rounding = type == ScalarType.BFloat16 ? 1.0 / 128 : 0;
        Assert.Equal(expected, output.Loss, 1e-4 * Math.Max(1, expected));
        Assert.Equal(type, output.EmbeddingGradient.dtype);
        Near("embeddings", leaf.grad!, output.EmbeddingGradient, rounding);
        Near("centers", exact.Centers.Weight.grad!, head.Centers.Momentum!, rounding); // Of the first step: the gradient.
        if (LossVariants.Bias(head) is Tensor bias)
        {
            Near("bias", LossVariants.Bias(exact)!.grad!, bias.grad!, 0);
        }
    }

    /// <summary>To 1e-4 of the largest value, and to the rounding of each.</summary>
    private static void Near(string what, Tensor expected, Tensor ours, double rounding)
    {
        double[] right = LossVariants.Values(expected.detach());
        double[] left = LossVariants.Values(ours.detach());
        double size = right.Max(Math.Abs);
        for (int i = 0; i < right.Length; i++)
        {
            double allowed = (1e-4 * size) + (rounding * Math.Abs(right[i]));
            Assert.True(Math.Abs(left[i] - right[i]) <= allowed, $"gradient of {what}[{i}] is {left[i]}, expected {right[i]} +- {allowed}");
        }
    }
}
