using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>A step uses every class of its labels and a uniform sample of the others, and computes the loss of those classes.</summary>
public class ClassSelectionTests
{
    [Fact]
    public void Selected_classes_are_those_of_the_batch_and_a_sample()
    {
        using DisposeScope scope = NewDisposeScope();
        ClassCenters centers = new(100, 4, 1, 0.2, seed: 3, ScalarType.Float32);
        HashSet<long> seen = [];
        Random random = new(4);
        for (int step = 0; step < 100; step++)
        {
            long[] labels = [.. Enumerable.Range(0, 16).Select(_ => (long)random.Next(100))];
            ClassSelection selection = centers.Select(labels);
            long[] classes = LossVariants.Ids(selection);
            Assert.Equal(20, classes.Length);
            Assert.Equal(classes.Distinct().Order(), classes);
            Assert.Equal(classes, LossVariants.Ids(selection)); // As often as it is walked.
            Assert.Equal(labels.Order(), selection.Tiles(labels, 7).SelectMany(t => t.Targets.Select(e => t.Ids![e.Column])));
            (int Sample, long Id)[] targets = [.. selection.Tiles(labels, 7).SelectMany(t => t.Targets.Select(e => (e.Sample, t.Ids![e.Column])).ToArray())];
            Assert.All(targets, e => Assert.Equal(labels[e.Sample], e.Id));
            seen.UnionWith(classes);
        }

        Assert.Equal(100, seen.Count);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), LossVariants.Ids(centers.Select(Enumerable.Range(0, 50).Select(i => (long)i))));
    }

    [Fact]
    public void Every_other_class_is_as_likely_as_the_next()
    {
        using DisposeScope scope = NewDisposeScope();
        ClassCenters centers = new(50, 2, 1, 0.2, seed: 3, ScalarType.Float32);
        int[] counts = new int[50];
        for (int step = 0; step < 4000; step++)
        {
            foreach (long c in LossVariants.Ids(centers.Select([7, 31])))
            {
                counts[c]++;
            }
        }

        // 8 of 48 others a step: mean 667 of 4,000, standard deviation 24.
        Assert.Equal([4000, 4000], new[] { counts[7], counts[31] });
        Assert.All(counts.Where((_, c) => c is not (7 or 31)), n => Assert.InRange(n, 667 - 110, 667 + 110));
    }

    [Theory]
    [InlineData("uce")]
    [InlineData("bce")]
    [InlineData("subcenter-arcface")]
    [InlineData("softmax")]
    public void Sampled_classes_give_the_loss_of_a_head_of_those_classes(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(name == "uce" ? "uce(bias=5)" : name == "bce" ? "bce(bias=5)" : name);
        RecognitionHead sampled = spec.With("negative-rate", "0.3").CreateHead(20, 5, seed: 4, ScalarType.Float64);
        Tensor labels = tensor(new long[] { 3, 17, 3 });
        Tensor embeddings = randn([3, 5], dtype: ScalarType.Float64);
        RecognitionHead same = spec.With("negative-rate", "0.3").CreateHead(20, 5, seed: 4, ScalarType.Float64);
        long[] chosen = same.Centers.Select([3, 17, 3]).Tiles([], 100).Single().Ids!;
        RecognitionHead small = spec.CreateHead(chosen.Length, 5, seed: 0, ScalarType.Float64);
        int k = sampled.Centers.SubCenters;
        using (no_grad())
        {
            small.Centers.Weight.copy_(sampled.Centers.Weight.view(20, k, 5).index_select(0, tensor(chosen)).view(-1, 5));
        }

        using HeadOutput output = sampled.ForwardBackward(embeddings, labels);
        using HeadOutput expected = small.ForwardBackward(embeddings, tensor(new[] { 3L, 17L, 3L }.Select(l => (long)Array.IndexOf(chosen, l)).ToArray()));
        Assert.Equal(expected.Loss, output.Loss, 1e-12 * Math.Max(1, expected.Loss));
        Tensor touched = sampled.Centers.Weight.grad!.view(20, -1).abs().sum(1) > 0;
        Assert.All(Enumerable.Range(0, 20).Except(chosen.Select(c => (int)c)), c => Assert.False(touched[c].item<bool>(), $"class {c} has a gradient"));
    }
}
