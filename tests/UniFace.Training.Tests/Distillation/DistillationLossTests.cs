using TorchSharp;
using UniFace.Training.Distillation;
using UniFace.Training.Head;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Distillation;

/// <summary>The gradient of a distillation is the slope of its loss, and the loss is what its definition says.</summary>
public class DistillationLossTests
{
    [Theory]
    [InlineData(3, 0)]
    [InlineData(0, 5)]
    [InlineData(2, 7)]
    public void The_gradient_is_the_slope_of_the_loss_by_finite_differences(double cosine, double relational)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor embeddings, Tensor targets) = Batch(6, 5);
        DistillationLoss loss = new(new TeacherOptions { Package = "t", Cosine = cosine, Relational = relational });
        using HeadOutput output = loss.Compute(embeddings, targets, scale: 0.5);
        double[] gradient = output.EmbeddingGradient.data<double>().ToArray();
        const double Step = 1e-6;
        for (int i = 0; i < gradient.Length; i++)
        {
            double slope = (At(i, Step) - At(i, -Step)) / (2 * Step);
            Assert.Equal(0.5 * slope, gradient[i], 1e-7);
        }

        double At(int index, double step)
        {
            double[] moved = embeddings.data<double>().ToArray();
            moved[index] += step;
            using HeadOutput at = loss.Compute(tensor(moved).view(embeddings.shape), targets);
            return at.Loss;
        }
    }

    [Fact]
    public void The_loss_is_that_of_the_definition()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor embeddings, Tensor targets) = Batch(4, 3);
        double[][] u = Rows(embeddings, normalize: true), t = Rows(targets, normalize: false);
        double expected = 0;
        for (int i = 0; i < 4; i++)
        {
            expected += 2 * (1 - Dot(u[i], t[i])) / 4;
            for (int j = 0; j < 4; j++)
            {
                expected += i == j ? 0 : 3 * Math.Pow(Dot(u[i], u[j]) - Dot(t[i], t[j]), 2) / 12;
            }
        }

        using HeadOutput output = new DistillationLoss(new TeacherOptions { Package = "t", Cosine = 2, Relational = 3 }).Compute(embeddings, targets);
        Assert.Equal(expected, output.Loss, 1e-10);
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(Dot(u[i], t[i]), output.TargetCosine[i].item<double>(), 1e-10));
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(
            Enumerable.Range(0, 4).Where(j => j != i).Max(j => Dot(u[i], t[j])), output.HardestNegativeCosine[i].item<double>(), 1e-10));
    }

    [Fact]
    public void A_student_with_the_teachers_embeddings_at_any_length_has_no_loss_and_no_gradient()
    {
        using DisposeScope scope = NewDisposeScope();
        (_, Tensor targets) = Batch(5, 4);
        using HeadOutput output = new DistillationLoss(new TeacherOptions { Package = "t" }).Compute(targets * 17, targets);
        Assert.Equal(0, output.Loss, 1e-10);
        Assert.True(output.EmbeddingGradient.abs().max().item<double>() < 1e-12);
    }

    [Fact]
    public void An_embedding_of_length_0_and_a_batch_of_one_are_finite()
    {
        using DisposeScope scope = NewDisposeScope();
        (_, Tensor targets) = Batch(1, 4);
        using HeadOutput output = new DistillationLoss(new TeacherOptions { Package = "t" }).Compute(zeros(1, 4, dtype: ScalarType.Float64), targets);
        Assert.True(double.IsFinite(output.Loss));
        Assert.True(output.EmbeddingGradient.isfinite().all().item<bool>());
    }

    private static (Tensor Embeddings, Tensor Targets) Batch(int count, int size)
    {
        manual_seed(4);
        Tensor targets = randn([count, size], ScalarType.Float64);
        return (randn([count, size], ScalarType.Float64) * 3, targets / targets.norm(1, keepdim: true));
    }

    private static double[][] Rows(Tensor rows, bool normalize) =>
    [
        .. rows.data<double>().ToArray().Chunk((int)rows.shape[1]).Select(row => normalize ? [.. row.Select(v => v / Math.Sqrt(Dot(row, row)))] : row),
    ];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
