using CsCheck;
using UniFace.Data;
using UniFace.Training.Data;

namespace UniFace.Training.Tests.Data;

public class SamplerTests
{
    private static readonly Gen<int[]> GenCounts = Gen.Int[1, 12].Array[2, 9];
    private static readonly Gen<long> GenSeed = Gen.Long;

    [Fact]
    public void A_uniform_epoch_contains_every_image_exactly_once() =>
        Gen.Select(Gen.Int[1, 300], GenSeed, Gen.Int[0, 1000]).Sample((count, seed, epoch) =>
            Assert.Equal(Enumerable.Range(0, count), new UniformSampler(count, seed).GetOrder(epoch).Order()));

    [Fact]
    public void An_order_is_a_pure_function_of_seed_and_epoch()
    {
        using MemoryDataset dataset = new([20, 30, 25, 14]);
        foreach (string name in Samplers.Names)
        {
            ISampler sampler = Samplers.Create(name, dataset, 8, 2, 5);
            int[] third = sampler.GetOrder(3);
            sampler.GetOrder(7);
            Assert.Equal(third, sampler.GetOrder(3));
            Assert.Equal(third, Samplers.Create(name, dataset, 8, 2, 5).GetOrder(3));
            Assert.NotEqual(third, sampler.GetOrder(4));
            Assert.NotEqual(third, Samplers.Create(name, dataset, 8, 2, 6).GetOrder(3));
            Assert.Equal(sampler.Length, third.Length);
        }
    }

    [Fact]
    public void A_uniform_order_puts_every_image_at_every_position_equally_often()
    {
        const int Count = 5;
        const int Epochs = 20_000;
        int[,] seen = new int[Count, Count];
        UniformSampler sampler = new(Count, 2026_11_24);
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            int[] order = sampler.GetOrder(epoch);
            for (int place = 0; place < Count; place++)
            {
                seen[place, order[place]]++;
            }
        }

        // Binomial(20000, 1/5): mean 4000, deviation 56.6; 5 deviations.
        foreach (int count in seen)
        {
            Assert.InRange(count, 4000 - 283, 4000 + 283);
        }
    }

    [Fact]
    public void A_class_balanced_epoch_samples_every_person_equally_often() =>
        Gen.Select(GenCounts, GenSeed, Gen.Int[0, 50]).Sample((counts, seed, first) =>
        {
            using MemoryDataset dataset = new(counts);
            ClassBalancedSampler sampler = new(dataset, seed);
            int draws = counts.Sum() / counts.Length;
            int[] order = sampler.GetOrder(first);
            Assert.All(order.CountBy(i => dataset.Samples[i].Label), person => Assert.Equal(draws, person.Value));
            Assert.Equal(counts.Length * draws, order.Length);

            // Over the epochs from 0, a person's images are shown equally often to within one.
            int[] shown = new int[counts.Sum()];
            for (int epoch = 0; epoch < 6; epoch++)
            {
                Array.ForEach(sampler.GetOrder(epoch), i => shown[i]++);
            }

            foreach (int[] samples in dataset.SamplesByPerson())
            {
                int[] times = [.. samples.Select(i => shown[i])];
                Assert.InRange(times.Max() - times.Min(), 0, 1);
            }
        });

    [Fact]
    public void A_pk_batch_has_exactly_P_people_with_K_images() =>
        Gen.Select(GenCounts, GenSeed, Gen.Int[1, 5], Gen.Int[1, 5]).Sample((counts, seed, people, images) =>
        {
            using MemoryDataset dataset = new(counts);
            if (people > counts.Length || people * images > counts.Sum())
            {
                Assert.Throws<UniFaceException>(() => new PersonBatchSampler(dataset, people, images, seed));
                return;
            }

            PersonBatchSampler sampler = new(dataset, people, images, seed);
            Assert.Equal(counts.Sum() / (people * images) * (people * images), sampler.Length);
            foreach (int[] batch in sampler.GetOrder(2).Chunk(people * images))
            {
                int[][] groups = [.. batch.Chunk(images)];
                Assert.Equal(people, groups.Select(group => dataset.Samples[group[0]].Label).Distinct().Count());
                foreach (int[] group in groups)
                {
                    int person = Assert.Single(group.Select(i => dataset.Samples[i].Label).Distinct());
                    Assert.Equal(Math.Min(images, counts[person]), group.Distinct().Count());
                }
            }
        });

    [Fact]
    public void A_round_of_pk_batches_repeats_no_person()
    {
        using MemoryDataset dataset = new([10, 10, 10, 10, 10, 10, 10]);
        int[] order = new PersonBatchSampler(dataset, 3, 2, 1).GetOrder(0);
        int[] turn = [.. order[..12].Select(i => dataset.Samples[i].Label).Distinct()];
        Assert.Equal(6, turn.Length);
    }

    [Fact]
    public void Sampler_errors_say_what_to_do()
    {
        using MemoryDataset dataset = new([5, 5]);
        UniFaceException unknown = Assert.Throws<UniFaceException>(() => Samplers.Create("balanced", dataset, 4, 2, 1));
        Assert.Contains("uniform, class-balanced, pk", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("images per person", Assert.Throws<UniFaceException>(() => Samplers.Create("pk", dataset, 5, 2, 1)).Message, StringComparison.Ordinal);
    }
}
