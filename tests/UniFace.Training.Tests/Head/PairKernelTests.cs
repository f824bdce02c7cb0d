using TorchSharp;
using UniFace.Training.Head.Objectives;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>A kernel's form for rows is its form for tensors, and both are its formula.</summary>
public class PairKernelTests
{
    private static readonly double[] Logits = [-1e4, -88, -40, -22, -3, -1e-3, 0, 1e-7, 0.5, 1, 2.5, 15, 22, 60, 87];

    [Fact]
    public void Softplus_is_log_1_plus_exp_with_the_slope_sigmoid() =>
        Check(SoftplusKernel.Instance, PlainLosses.Softplus, x => 1 / (1 + Math.Exp(-x)), addsValues: true, Logits);

    [Fact]
    public void The_exponential_is_its_own_slope() => Check(ExponentialKernel.Instance, Math.Exp, Math.Exp, addsValues: false, [.. Logits.Where(x => x < 60)]);

    [Fact]
    public void The_clamped_softplus_is_flat_outside_its_limits()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor slope = new ClampedSoftplusKernel(2).Slope(tensor(new[] { -3.0, -2, 0, 2, 3 }), out Tensor value);
        double low = PlainLosses.Softplus(-2);
        double high = PlainLosses.Softplus(2);
        Assert.Equal([low, low, Math.Log(2), high, high], LossVariants.Values(value), Near);
        Assert.Equal([0, 1 / (1 + Math.Exp(2)), 0.5, 1 / (1 + Math.Exp(-2)), 0], LossVariants.Values(slope), Near);
        static bool Near(double a, double b) => Math.Abs(a - b) < 1e-12;
    }

    private static void Check<T>(T kernel, Func<double, double> value, Func<double, double> slope, bool addsValues, double[] logits)
        where T : PairKernel, IRowKernel
    {
        using DisposeScope scope = NewDisposeScope();
        double[] slopes = LossVariants.Values(kernel.Slope(tensor(logits), out Tensor values));
        Assert.All(logits.Zip(LossVariants.Values(values)), v => Assert.Equal(value(v.First), v.Second, 1e-12 * Math.Max(1, value(v.First))));
        Assert.All(logits.Zip(slopes), s => Assert.Equal(slope(s.First), s.Second, 1e-12 * Math.Max(1, slope(s.First))));

        // Rows of every length up to three vectors, with a masked cell in front.
        for (int length = 1; length <= 48; length++)
        {
            double[] row = [.. Enumerable.Range(0, length).Select(i => logits[i % logits.Length])];
            float[] products = [RowLoop.Masked, .. row.Select(x => (float)x)];
            float[] radial = new float[length + 1];
            RowSums sums = kernel.Backward(products, [.. Enumerable.Repeat(1f, length + 1)], radial, new RowTerms(1, 0, 1));
            Assert.Equal(0, products[0]);
            Assert.Equal(0, radial[0]);
            Assert.Equal(row.Max(), sums.Largest, 1e-3);
            Equal(row.Sum(slope), sums.Slopes);
            Equal(addsValues ? row.Sum(value) : 0, sums.Values);
            for (int i = 0; i < length; i++)
            {
                Equal(slope(row[i]), products[i + 1]);
                Equal(slope(row[i]) * row[i], radial[i + 1]);
            }
        }
    }

    private static void Equal(double expected, double ours) => Assert.Equal(expected, ours, 2e-6 * Math.Max(1, Math.Abs(expected)));
}
