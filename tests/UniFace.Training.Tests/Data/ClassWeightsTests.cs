using CsCheck;
using UniFace.Training.Data;

namespace UniFace.Training.Tests.Data;

public class ClassWeightsTests
{
    [Fact]
    public void The_mean_weight_over_the_samples_is_1_and_rarer_people_weigh_no_less() =>
        Gen.Select(Gen.Int[1, 500].Array[2, 30], Gen.Double[0, 0.9999]).Sample((counts, beta) =>
        {
            foreach (string name in new[] { "inverse", "effective" })
            {
                float[] weights = ClassWeights.Compute(name, counts, beta)!;
                double mean = counts.Zip(weights, (count, weight) => count * (double)weight).Sum() / counts.Sum();
                Assert.Equal(1, mean, 1e-5);
                for (int i = 1; i < counts.Length; i++)
                {
                    Assert.True(counts[i] < counts[0] ? weights[i] >= weights[0] : weights[i] <= weights[0]);
                }
            }
        });

    [Fact]
    public void Inverse_and_effective_weights_have_the_ratios_of_their_formulas()
    {
        float[] inverse = ClassWeights.Compute("inverse", [2, 10])!;
        Assert.Equal(5, inverse[0] / inverse[1], 1e-5);

        // Effective numbers for beta 0.9: (1 - 0.81) / 0.1 = 1.9 and (1 - 0.9^10) / 0.1 = 6.513215599.
        float[] effective = ClassWeights.Compute("effective", [2, 10], 0.9)!;
        Assert.Equal(6.513215599 / 1.9, effective[0] / effective[1], 1e-5);
        Assert.Equal([1f, 1f], ClassWeights.Compute("effective", [2, 10], 0)!);
        Assert.Null(ClassWeights.Compute("none", [2, 10]));
    }

    [Fact]
    public void A_beta_of_1_and_an_unknown_name_are_errors()
    {
        Assert.Throws<UniFaceException>(() => ClassWeights.Compute("effective", [1, 2], 1));
        Assert.Throws<UniFaceException>(() => ClassWeights.Compute("effective", [1, 2], double.NaN));
        UniFaceException unknown = Assert.Throws<UniFaceException>(() => ClassWeights.Compute("sqrt", [1, 2]));
        Assert.Contains("none, inverse, effective", unknown.Message, StringComparison.Ordinal);
    }
}
