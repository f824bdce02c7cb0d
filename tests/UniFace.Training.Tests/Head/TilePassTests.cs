using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>A step by rows and a step with tensors, the only way on other devices, are the same step.</summary>
public class TilePassTests
{
    private const int Classes = 100;
    private const int Size = 24;
    private const int Samples = 12;

    public static TheoryData<string, bool, bool> Cases
    {
        get
        {
            TheoryData<string, bool, bool> cases = new();
            string[] losses = ["uce(bias=5)", "uce(margin-type=arc,lambda=0.6)", "cosface", "arcface", "adacos", "magface", "sphereface-r(loss-weight=50)"];
            foreach (string loss in losses)
            {
                foreach (bool half in new[] { false, true })
                {
                    cases.Add(loss, half, false);
                    cases.Add(loss, half, true);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rows_and_tensors_give_the_same_steps(string text, bool half, bool sampled)
    {
        using DisposeScope scope = NewDisposeScope();
        Loss loss = sampled ? Loss.Parse(text).With("negative-rate", "0.5") : Loss.Parse(text);
        using RecognitionHead rows = Create(loss, half, allowRowPass: true);
        using RecognitionHead tensors = Create(loss, half, allowRowPass: false);
        using Generator generator = new(7, CPU);
        CenterUpdate.Sgd update = new(1e-3, 0.9, 5e-4);
        for (int step = 0; step < 2; step++)
        {
            Tensor x = randn([Samples, Size], generator: generator) * 4;
            Tensor labels = randint(0, Classes, [Samples], dtype: ScalarType.Int64, generator: generator);
            using HeadOutput expected = tensors.ForwardBackward(x, labels, update: update);
            using HeadOutput output = rows.ForwardBackward(x, labels, update: update);
            Assert.Equal(expected.Loss, output.Loss, 1e-4 * Math.Max(1, expected.Loss));
            Near(expected.EmbeddingGradient, output.EmbeddingGradient, 1e-4);
            Near(expected.TargetCosine, output.TargetCosine, 1e-5);
            Near(expected.HardestNegativeCosine, output.HardestNegativeCosine, 1e-5);
            Near(tensors.Centers.Momentum!, rows.Centers.Momentum!, half ? 1.0 / 128 : 1e-4);
            Near(tensors.Centers.Weight, rows.Centers.Weight, half ? 1.0 / 128 : 1e-5);
            if (LossVariants.Bias(rows) is Tensor bias)
            {
                Near(LossVariants.Bias(tensors)!.grad!, bias.grad!, 1e-4);
            }
        }
    }

    [Theory]
    [InlineData("uce", typeof(RowPass))]
    [InlineData("arcface", typeof(RowPass))]
    [InlineData("bce", typeof(TensorPass))]
    [InlineData("curricularface", typeof(TensorPass))]
    [InlineData("sphereface", typeof(TensorPass))]
    [InlineData("subcenter-arcface", typeof(TensorPass))]
    [InlineData("softmax", typeof(TensorPass))]
    public void Rows_are_used_where_they_are_supported(string text, Type expected)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        using RecognitionHead head = Loss.Parse(text).CreateHead(Classes, Size, seed: 1);
        HeadBatch batch = new(head, randn([2, Size]), tensor(new long[] { 3, 5 }), null, 1);
        Assert.IsType(expected, TilePass.Create(head, batch, head.Objective.Begin(batch.ObjectiveBatch)));
    }

    private static RecognitionHead Create(Loss loss, bool half, bool allowRowPass)
    {
        RecognitionHead head = loss.CreateHead(Classes, Size, seed: 1, centers: half ? ScalarType.BFloat16 : null);
        head.TileSize = 37; // Neither a divisor of the classes nor a multiple of a vector.
        head.AllowRowPass = allowRowPass;
        return head;
    }

    /// <summary>Relative to the largest value. Rounding to bfloat16 may differ by one step, 1/128 of a value.</summary>
    private static void Near(Tensor expected, Tensor ours, double tolerance)
    {
        double[] right = LossVariants.Values(expected.detach());
        double[] left = LossVariants.Values(ours.detach());
        double size = right.Max(Math.Abs);
        Assert.All(right.Zip(left), pair => Assert.InRange(pair.Second, pair.First - (tolerance * size), pair.First + (tolerance * size)));
    }
}
