using TorchSharp;
using UniFace.Training.Losses;
using UniFace.Training.Losses.Margins;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Losses;

/// <summary>What a head keeps from batch to batch, and the contract of the seam.</summary>
public class StateTests
{
    public static TheoryData<string> Stateful => [.. LossRegistry.Names, .. LossRegistry.Names.Select(n => $"{n}(negative-rate=0.4)"), "elasticface-arc(plus=true)"];

    [Theory]
    [MemberData(nameof(Stateful))]
    public void A_head_that_takes_over_anothers_state_goes_on_identically(string text)
    {
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(text);
        using RecognitionHead first = spec.CreateHead(30, 6, seed: 1);
        using RecognitionHead second = spec.CreateHead(30, 6, seed: 2);
        Step(first, 0);
        Step(first, 1);
        second.load_state_dict(first.state_dict().ToDictionary(e => e.Key, e => e.Value.clone()));
        for (int step = 2; step < 5; step++)
        {
            Assert.Equal(Step(first, step), Step(second, step));
        }
    }

    [Fact]
    public void Drawn_margins_and_classes_are_of_seed_and_step_alone()
    {
        foreach (string text in new[] { "elasticface-arc", "cosface(negative-rate=0.3)" })
        {
            double[][] runs = [.. new long[] { 1, 1, 9 }.Select(seed =>
            {
                using DisposeScope scope = NewDisposeScope();
                using RecognitionHead head = Loss.Parse(text).CreateHead(30, 6, seed);
                using (no_grad())
                {
                    head.get_parameter("centers.weight")!.copy_(LossVariants.Rows(LossVariants.Batch(7, 1, 30, 6, 1).Centers));
                }

                return new[] { Step(head, 0).Loss, Step(head, 0).Loss };
            })];
            Assert.Equal(runs[0], runs[1]);
            Assert.NotEqual(runs[0][0], runs[0][1]);
            Assert.NotEqual(runs[0][0], runs[2][0]);
        }
    }

    [Fact]
    public void Each_step_draws_anew()
    {
        using DisposeScope scope = NewDisposeScope();
        ClassCenters centers = new(100, 4, 1, 0.2, seed: 3, ScalarType.Float32);
        Assert.NotEqual(LossVariants.Ids(centers.Select([1, 2])), LossVariants.Ids(centers.Select([1, 2])));

        ElasticFaceMargin margin = new(false, 0.35, 0.05, plus: false, MarginWrap.Plain, MarginGradient.Chain, seed: 8);
        Tensor cosine = zeros([4], dtype: ScalarType.Float64);
        MarginInput input = new(cosine, ones_like(cosine), ones_like(cosine));
        margin.Observe(input);
        Tensor first = margin.Target(input);
        Assert.True(first.Equals(margin.Target(input)), "two reads of one step");
        margin.Observe(input);
        Assert.False(first.Equals(margin.Target(input)), "two steps");
    }

    [Fact]
    public void Running_statistics_keep_their_share_of_the_past()
    {
        // Target cosines 0.6 and -1, then 0 and 1; lengths 5 and 2, then 3 and 1.
        using DisposeScope scope = NewDisposeScope();
        double[][] centers = [[1, 0], [0, 2], [-5, 0]];
        PlainBatch first = new([[3, 4], [0, -2]], centers, [], [0, 1]);
        PlainBatch second = first with { Embeddings = [[0, 3], [0, 1]] };
        using RecognitionHead curricular = LossVariants.Head(Loss.Parse("curricularface(t-momentum=0.1)"), first);
        using RecognitionHead adaface = LossVariants.Head(Loss.Parse("adaface(t-alpha=0.1)"), first);
        foreach (RecognitionHead head in new[] { curricular, adaface })
        {
            head.ForwardBackward(LossVariants.Rows(first.Embeddings), LossVariants.Labels(first)).Dispose();
            head.ForwardBackward(LossVariants.Rows(second.Embeddings), LossVariants.Labels(second)).Dispose();
        }

        Assert.Equal(0.9 * (0.1 * -0.2) + 0.1 * 0.5, curricular.get_buffer("margin.t")!.item<double>(), 1e-12);
        Assert.Equal(0.9 * (0.9 * 20 + 0.1 * 3.5) + 0.1 * 2, adaface.get_buffer("margin.mean")!.item<double>(), 1e-12);
        Assert.Equal(0.9 * (0.9 * 100 + 0.1 * 3 / Math.Sqrt(2)) + 0.1 * Math.Sqrt(2), adaface.get_buffer("margin.deviation")!.item<double>(), 1e-12);
    }

    [Fact]
    public void SphereFaces_annealing_falls_from_its_start_to_its_floor()
    {
        using DisposeScope scope = NewDisposeScope();
        SphereFaceMargin margin = new(2, floor: 5, start: 30, decay: 0.5, MarginGradient.Chain);
        Tensor cosine = tensor(new[] { 0.8 });
        MarginInput input = new(cosine, (1 - cosine * cosine).sqrt(), ones_like(cosine));
        foreach (double lambda in new[] { 30, 20, 15, 12, 10, 30 / 3.5, 7.5, 30 / 4.5, 6, 30 / 5.5, 5, 5 })
        {
            margin.Observe(input);
            Assert.Equal((lambda * 0.8 + 2 * 0.64 - 1) / (1 + lambda), margin.Target(input).item<double>(), 1e-12);
        }
    }

    [Fact]
    public void Sampled_classes_are_all_of_the_batch_and_others_up_to_the_rate_each_once()
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
            Assert.All(selection.Tiles(labels, 7).SelectMany(t => t.Targets.Select(e => (e.Sample, Id: t.Ids![e.Column])).ToArray()), e => Assert.Equal(labels[e.Sample], e.Id));
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
        long[] chosen = spec.With("negative-rate", "0.3").CreateHead(20, 5, seed: 4, ScalarType.Float64).Centers.Select([3, 17, 3]).Tiles([], 100).Single().Ids!;
        RecognitionHead small = spec.CreateHead(chosen.Length, 5, seed: 0, ScalarType.Float64);
        int k = sampled.Centers.SubCenters;
        using (no_grad())
        {
            small.Centers.Weight.copy_(sampled.Centers.Weight.view(20, k, 5).index_select(0, tensor(chosen)).view(-1, 5));
        }

        using HeadOutput output = sampled.ForwardBackward(embeddings, labels);
        using HeadOutput expected = small.ForwardBackward(embeddings, tensor(new[] { 3L, 17L, 3L }.Select(l => (long)Array.IndexOf(chosen, l)).ToArray()));
        Assert.Equal(expected.Loss, output.Loss, 1e-12);
        Tensor touched = sampled.Centers.Weight.grad!.view(20, -1).abs().sum(1) > 0;
        Assert.All(Enumerable.Range(0, 20).Except(chosen.Select(c => (int)c)), c => Assert.False(touched[c].item<bool>(), $"class {c} has a gradient"));
    }

    [Fact]
    public void Elastic_plus_gives_the_largest_margin_to_the_smallest_cosine()
    {
        // With sigma this large the order of psi - c shows whose margin is larger.
        using DisposeScope scope = NewDisposeScope();
        ElasticFaceMargin margin = new(false, 0.35, 0.3, plus: true, MarginWrap.Plain, MarginGradient.Chain, seed: 8);
        Tensor cosine = tensor(new[] { 0.1, 0.9, 0.5, -0.3 });
        MarginInput input = new(cosine, (1 - cosine * cosine).sqrt(), ones_like(cosine));
        margin.Observe(input);
        double[] margins = LossVariants.Values(cosine - margin.Target(input));
        Assert.Equal([3, 0, 2, 1], margins.Select((m, i) => (m, i)).OrderByDescending(e => e.m).Select(e => e.i));
    }

    [Fact]
    public void Elastic_margins_have_the_mean_and_deviation_that_were_asked_for()
    {
        using DisposeScope scope = NewDisposeScope();
        ElasticFaceMargin margin = new(false, 0.35, 0.05, plus: false, MarginWrap.Plain, MarginGradient.Chain, seed: 8);
        Tensor cosine = zeros([20_000], dtype: ScalarType.Float64);
        MarginInput input = new(cosine, ones_like(cosine), ones_like(cosine));
        margin.Observe(input);
        Tensor margins = -margin.Target(input);
        Assert.Equal(0.35, margins.mean().item<double>(), 2e-3);
        Assert.Equal(0.05, margins.std().item<double>(), 2e-3);
    }

    [Theory]
    [MemberData(nameof(GradientTests.Variants), MemberType = typeof(GradientTests))]
    public void Weight_2_is_the_sample_twice_up_to_the_batchs_size(string text)
    {
        // Losses with statistics of the batch see another batch when a sample is there twice; so both batches have all samples,
        // and only weights differ: weights add up.
        using DisposeScope scope = NewDisposeScope();
        Loss spec = Loss.Parse(text);
        PlainBatch batch = LossVariants.Batch(2, 3, 4, 4, spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1);
        (double Loss, double[] Gradient) Run(params double[] weights)
        {
            using RecognitionHead head = LossVariants.Head(spec, batch, ScalarType.Float64, [0.3, 0.4, 0.5]);
            using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), tensor(weights));
            return (output.Loss, LossVariants.Values(head.Centers.Weight.grad!));
        }

        (double loss, double[] gradient) = Run(1, 2, 0.5);
        (double, double[] Gradient)[] parts = [Run(1, 0, 0), Run(0, 1, 0), Run(0, 0, 1)];
        Assert.Equal(parts[0].Item1 + 2 * parts[1].Item1 + 0.5 * parts[2].Item1, loss, 1e-9);
        Assert.All(gradient.Select((g, i) => g - parts[0].Gradient[i] - 2 * parts[1].Gradient[i] - 0.5 * parts[2].Gradient[i]), d => Assert.InRange(d, -1e-9, 1e-9));
    }

    [Fact]
    public void A_sample_of_weight_2_is_that_sample_twice()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string name in new[] { "arcface", "uce", "magface" })
        {
            PlainBatch batch = LossVariants.Batch(2, 2, 4, 4, 1);
            PlainBatch twice = batch with { Embeddings = [.. batch.Embeddings, batch.Embeddings[1]], Labels = [.. batch.Labels, batch.Labels[1]] };
            using RecognitionHead head = LossVariants.Head(Loss.Parse(name), batch);
            using HeadOutput weighted = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), tensor(new[] { 1.0, 2.0 }));
            using HeadOutput expected = head.ForwardBackward(LossVariants.Rows(twice.Embeddings), LossVariants.Labels(twice));
            Assert.Equal(expected.Loss * 3 / 2, weighted.Loss, 1e-9);
        }
    }

    [Fact]
    public void Scale_is_on_the_gradients_alone_and_gradients_add_up()
    {
        using DisposeScope scope = NewDisposeScope();
        PlainBatch batch = LossVariants.Batch(2, 3, 4, 4, 1);
        using RecognitionHead head = LossVariants.Head(Loss.Parse("uce"), batch);
        using HeadOutput whole = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
        double[] once = LossVariants.Values(head.Centers.Weight.grad!);
        using HeadOutput half = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch), null, 0.5);
        Assert.Equal(whole.Loss, half.Loss);
        Assert.All(LossVariants.Values(whole.EmbeddingGradient).Zip(LossVariants.Values(half.EmbeddingGradient)), g => Assert.Equal(g.First / 2, g.Second, 1e-12));
        Assert.All(once.Zip(LossVariants.Values(head.Centers.Weight.grad!)), g => Assert.Equal(g.First * 1.5, g.Second, 1e-9));
    }

    [Fact]
    public void The_cosines_it_reports_are_those_before_the_margin()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string name in LossRegistry.Names.Where(n => n != "subcenter-arcface"))
        {
            PlainBatch batch = new([[3, 4], [0, -2]], [[1, 0], [0, 2], [-5, 0]], [1, 1, 1], [0, 1]);
            using RecognitionHead head = LossVariants.Head(Loss.Parse(name), batch);
            using HeadOutput output = head.ForwardBackward(LossVariants.Rows(batch.Embeddings), LossVariants.Labels(batch));
            Assert.All(LossVariants.Values(output.TargetCosine).Zip([0.6, -1.0]), c => Assert.Equal(c.Second, c.First, 1e-12));
            Assert.All(LossVariants.Values(output.HardestNegativeCosine).Zip([0.8, 0.0]), c => Assert.Equal(c.Second, c.First, 1e-12));
        }
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        foreach (string name in LossRegistry.Names)
        {
            using RecognitionHead head = Loss.Parse(name + "(negative-rate=0.5)").CreateHead(30, 6, seed: 1);
            using Tensor embeddings = randn([8, 6]);
            using Tensor labels = arange(8, dtype: ScalarType.Int64);
            head.ForwardBackward(embeddings, labels).Dispose();
            long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            head.ForwardBackward(embeddings, labels).Dispose();
            Assert.True(DisposeScopeManager.Statistics.ThreadTotalLiveCount == before, $"{name}: {DisposeScopeManager.Statistics.ThreadTotalLiveCount - before} tensors");
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(-1)]
    public void A_label_out_of_range_is_named(long label)
    {
        using RecognitionHead head = Loss.Parse("uce").CreateHead(30, 6, seed: 1);
        using Tensor embeddings = randn([3, 6]);
        using Tensor labels = tensor(new[] { 0L, label, 2L });
        UniFaceException e = Assert.Throws<UniFaceException>(() => head.ForwardBackward(embeddings, labels));
        Assert.StartsWith($"label {label} of sample 1 of the batch is out of range: the head has 30 classes, 0 to 29", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using RecognitionHead head = Loss.Parse("uce").CreateHead(30, 6, seed: 1);
        using Tensor embeddings = randn([3, 6]);
        using Tensor narrow = randn([3, 5]);
        using Tensor labels = tensor(new[] { 0L, 1L, 2L });
        using Tensor short1 = tensor(new[] { 0L, 1L });
        Assert.Contains("[B, 6]", Assert.Throws<UniFaceException>(() => head.ForwardBackward(narrow, labels)).Message, StringComparison.Ordinal);
        Assert.Contains("labels are [2]", Assert.Throws<UniFaceException>(() => head.ForwardBackward(embeddings, short1)).Message, StringComparison.Ordinal);
        Assert.Contains("weights are [2]", Assert.Throws<UniFaceException>(() => head.ForwardBackward(embeddings, labels, short1)).Message, StringComparison.Ordinal);
        Assert.Contains("at least 2 people", Assert.Throws<UniFaceException>(() => Loss.Parse("uce").CreateHead(1, 6, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("at least 3 people", Assert.Throws<UniFaceException>(() => Loss.Parse("adacos").CreateHead(2, 6, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_sample_alone_does_not_upset_AdaFaces_statistics()
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = Loss.Parse("adaface").CreateHead(30, 6, seed: 1);
        using HeadOutput output = head.ForwardBackward(randn([1, 6]), tensor(new[] { 0L }));
        Assert.True(double.IsFinite(output.Loss));
        Assert.Equal(100, head.get_buffer("margin.deviation")!.item<float>());
    }

    /// <summary>One step of plain descent, so that parameters move; the loss and the centers afterwards.</summary>
    private static (double Loss, double Centers) Step(RecognitionHead head, int step)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new((ulong)step + 1, CPU);
        using HeadOutput output = head.ForwardBackward(randn([8, 6], generator: generator) * 10, randint(0, 30, [8], dtype: ScalarType.Int64, generator: generator));
        using (no_grad())
        {
            foreach (TorchSharp.Modules.Parameter parameter in head.parameters())
            {
                parameter.sub_(parameter.grad! * 0.01);
            }
        }

        head.zero_grad();
        return (output.Loss, head.get_parameter("centers.weight")!.sum().item<float>());
    }
}
