using UniFace.Data;
using UniFace.Data.Merging;
using UniFace.Training.Data;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Data;

/// <summary>An epoch draws from each set by its weight, and every image of a set before it draws one twice.</summary>
public class WeightedSamplerTests
{
    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(1, 0.3)]
    [InlineData(0.25, 2.5)]
    [InlineData(3, 1)]
    public void Each_image_is_drawn_by_the_weight_of_its_set(double first, double second)
    {
        const int Epochs = 8;
        using FaceDataset data = MergedDataset.Merge(new MemoryDataset([7, 13]), new MemoryDataset([9, 1, 11]));
        WeightedSampler sampler = new(data, [first, second], 5);
        int[] draws = [(int)Math.Round(20 * first), (int)Math.Round(21 * second)];
        Assert.Equal(draws.Sum(), sampler.Length);
        int[] times = new int[data.Samples.Count];
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            int[] order = sampler.GetOrder(epoch);
            Assert.Equal(order, new WeightedSampler(data, [first, second], 5).GetOrder(epoch));
            Assert.Equal(draws[0], order.Count(sample => data.PartOf(sample) == 0));
            Assert.Equal(draws.Sum(), order.Length);
            Array.ForEach(order, sample => times[sample]++);
            for (int part = 0; part < 2; part++)
            {
                int[] counts = [.. times.Where((_, sample) => data.PartOf(sample) == part)];
                Assert.InRange(counts.Max() - counts.Min(), 0, 1);
            }
        }
    }

    [Fact]
    public void Weights_of_1_are_the_uniform_sampler_and_samplers_by_person_take_none()
    {
        using FaceDataset data = MergedDataset.Merge(new MemoryDataset([7, 13]), new MemoryDataset([9, 11]));
        Assert.Equal(new UniformSampler(40, 3).GetOrder(2), Samplers.Create("uniform", data, 4, 2, 3, 1, 1).GetOrder(2));
        Assert.Equal(30, Samplers.Create("uniform", data, 4, 2, 3, 1, 0.5).Length);
        foreach (string name in new[] { "class-balanced", "pk" })
        {
            Samplers.Create(name, data, 4, 2, 3, 1, 1);
            Assert.Contains(name, Assert.Throws<UniFaceException>(() => Samplers.Create(name, data, 4, 2, 3, 1, 0.5)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("faces", "faces", 1)]
    [InlineData("faces:0.5", "faces", 0.5)]
    [InlineData("C:\\faces", "C:\\faces", 1)]
    [InlineData("C:\\faces:2", "C:\\faces", 2)]
    [InlineData(":2", ":2", 1)]
    public void A_weight_follows_the_last_colon(string text, string path, double weight) =>
        Assert.Equal(new WeightedData(path, weight), WeightedData.Parse(text));

    [Theory]
    [InlineData("faces:0")]
    [InlineData("faces:-1")]
    [InlineData("faces:NaN")]
    [InlineData("faces:1e9")]
    public void A_weight_out_of_range_is_refused(string text) =>
        Assert.Contains("faces has the weight", Assert.Throws<UniFaceException>(() => WeightedData.Parse(text)).Message, StringComparison.Ordinal);
}
