using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Optimization;

namespace UniFace.Training.Tests.Optimization;

public class ClippingAndAverageTests
{
    [Fact]
    public void Gradients_are_scaled_down_to_the_norm_together()
    {
        using Parameter a = WithGradient(3);
        using Parameter b = WithGradient(4);
        IReadOnlyList<NamedParameter> all = [new("a", a, true), new("b", b, true)];
        Assert.Equal(5, GradientClipping.Clip(all, 10), 1e-6);
        Assert.Equal(3, a.grad!.item<float>());
        Assert.Equal(5, GradientClipping.Clip(all, 2.5), 1e-6);
        Assert.Equal(1.5, a.grad!.item<float>(), 1e-5);
        Assert.Equal(2, b.grad!.item<float>(), 1e-5);
        Assert.Equal(2.5, GradientClipping.Clip(all, 0), 1e-5);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_shows_in_the_norm_and_changes_nothing()
    {
        using Parameter a = WithGradient(3);
        using Parameter b = WithGradient(float.NaN);
        Assert.True(double.IsNaN(GradientClipping.Clip([new("a", a, true), new("b", b, true)], 1)));
        Assert.Equal(3, a.grad!.item<float>());
    }

    [Fact]
    public void The_average_follows_its_closed_form_and_swaps_in_and_out()
    {
        using Linear module = torch.nn.Linear(1, 1, hasBias: false);
        torch.nn.init.constant_(module.weight, 1);
        using MovingAverage average = new(module, 0.5);
        double expected = 1;
        for (int step = 1; step <= 5; step++)
        {
            torch.nn.init.constant_(module.weight, step * 10);
            average.Update(step);
            double decay = Math.Min(0.5, (1.0 + step) / (10 + step));
            expected = (decay * expected) + ((1 - decay) * step * 10);
        }

        Assert.Equal(expected, average.Values["weight"].item<float>(), 1e-4);
        average.Swap();
        Assert.Equal(expected, module.weight.item<float>(), 1e-4);
        average.Swap();
        Assert.Equal(50, module.weight.item<float>());
        Assert.Equal(expected, average.Values["weight"].item<float>(), 1e-4);
    }

    [Fact]
    public void The_average_of_constant_parameters_equals_them_after_any_number_of_steps()
    {
        using Linear module = torch.nn.Linear(37, 29);
        using MovingAverage average = new(module, 0.9999);
        for (int step = 1; step <= 2000; step++)
        {
            average.Update(step);
        }

        Assert.True((average.Values["weight"] - module.weight).abs().max().item<float>() <= 1e-6);
    }

    private static Parameter WithGradient(float gradient)
    {
        Parameter parameter = torch.nn.Parameter(torch.zeros(1));
        (parameter * gradient).sum().backward();
        return parameter;
    }
}
