using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.FineTuning;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>Regressions, the choice of channels and the map to a teacher are what their definitions say.</summary>
public class LinearFitTests
{
    [Fact]
    public void A_linear_function_is_found_from_batches_and_a_strong_ridge_keeps_the_prior()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new(1);
        Tensor weight = randn(3, 5, generator: random), x = randn(200, 5, generator: random) + 2, y = x.mm(weight.t()) + 7;
        LinearFit fit = new(5, 3);
        fit.Add(x[TensorIndex.Slice(0, 120)], y[TensorIndex.Slice(0, 120)]);
        fit.Add(x[TensorIndex.Slice(120)], y[TensorIndex.Slice(120)]);
        (Tensor found, Tensor shift) = fit.Solve(1e-9);
        Close(weight, found, 1e-4);
        Close(full_like(shift, 7), shift, 1e-3);
        Tensor prior = randn(3, 5, generator: random).to(ScalarType.Float64);
        Close(prior, fit.Solve(1e6, prior).Weight, 1e-4);
        Close(cov(x.t(), correction: 0), fit.Covariance, 1e-4);
        (Tensor mean, Tensor variance) = fit.Statistics(weight.to(ScalarType.Float64));
        Close(x.mm(weight.t()).mean([0]), mean, 1e-4);
        Close(x.mm(weight.t()).var(0, unbiased: false), variance, 1e-3);
    }

    [Fact]
    public void Channels_are_chosen_by_what_they_add_to_the_next_layer()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator random = new(2);
        Tensor x = randn(500, 4, generator: random).to(ScalarType.Float64);
        x[TensorIndex.Colon, 3] = x[TensorIndex.Colon, 1] * 3; // Knows nothing that channel 1 does not.
        x[TensorIndex.Colon, 2] *= 10; // Strong, and unused.
        Tensor consumer = tensor(new double[,] { { 0.2, 1, 0, 1 } });
        Assert.Equal([0, 1], ChannelSelection.Choose(cov(x.t()), consumer, 2));
        Assert.Equal([0, 1, 2, 3], ChannelSelection.Choose(cov(x.t()), consumer, 4));
    }

    [Theory]
    [InlineData("dlib-resnet")]
    [InlineData("dlib-resnet-mapped")]
    [InlineData("mobilefacenet")]
    public void The_map_to_a_teacher_adds_its_regression_to_the_inner_products_and_moves_into_the_last_layer(string family)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        using Backbone backbone = PrimedBackbone.Create(family, 8, family == "mobilefacenet" ? 0.25 : 1);
        Tensor images = PrimedBackbone.Input(24, seed: 4, backbone);
        Tensor before = backbone.forward(images); // [24, 8]
        using Generator random = new(3);
        Tensor targets = before.mm(randn(8, 5, generator: random)); // [24, 5], a linear function, so that the regression is known
        TeacherMap map = TeacherMap.Fit(before, targets);
        Tensor after = map.Apply(((LayeredBackbone)backbone).EmbeddingLayer!, before);
        Close(after, backbone.forward(images), 1e-3 * after.abs().max().item<float>());

        // The inner products about the mean grow along what the teacher sees, and never shrink.
        Tensor old = before - before.mean([0]), now = after - after.mean([0]), seen = targets - targets.mean([0]);
        Assert.True((now.square().sum(1) >= old.square().sum(1) * 0.999f).all().item<bool>());
        Assert.True(Correlation(now.mm(now.t()), seen.mm(seen.t())) > Correlation(old.mm(old.t()), seen.mm(seen.t())));
        double added = (now.square().sum() - old.square().sum()).item<float>() / before.square().sum().item<float>();
        Assert.InRange(added, 0.2, 0.3); // 0.5 squared: the share of the mean squared length
    }

    private static double Correlation(Tensor a, Tensor b) => corrcoef(stack([a.flatten(), b.flatten()]))[0, 1].item<float>();

    private static void Close(Tensor expected, Tensor actual, double tolerance)
    {
        double error = (expected.to(ScalarType.Float64) - actual.to(ScalarType.Float64)).abs().max().item<double>();
        Assert.True(error <= tolerance, $"{error}");
    }
}
