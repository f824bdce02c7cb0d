using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Head.Margins;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>A head resumes exactly: what it keeps between batches is a function of its state, its seed and its input.</summary>
public class StateTests
{
    public static TheoryData<string> Stateful =>
        [.. LossRegistry.Names, .. LossRegistry.Names.Select(n => $"{n}(negative-rate=0.4)"), "elasticface-arc(plus=true)"];

    [Theory]
    [MemberData(nameof(Stateful))]
    public void A_head_that_loads_the_state_of_another_continues_identically(string text)
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
    public void Each_step_draws_new_margins_and_classes()
    {
        using DisposeScope scope = NewDisposeScope();
        ClassCenters centers = new(100, 4, 1, 0.2, seed: 3, ScalarType.Float32);
        Assert.NotEqual(LossVariants.Ids(centers.Select([1, 2])), LossVariants.Ids(centers.Select([1, 2])));

        ElasticFaceMargin margin = new(false, 0.35, 0.05, plus: false, MarginWrap.Plain, MarginGradient.Chain, seed: 8);
        Tensor cosine = zeros([4], dtype: ScalarType.Float64);
        MarginInput input = new(cosine, ones_like(cosine), ones_like(cosine));
        margin.Update(input);
        Tensor first = margin.Target(input);
        Assert.True(first.Equals(margin.Target(input)), "two reads of one step");
        margin.Update(input);
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
            margin.Update(input);
            Assert.Equal((lambda * 0.8 + 2 * 0.64 - 1) / (1 + lambda), margin.Target(input).item<double>(), 1e-12);
        }
    }

    [Fact]
    public void Elastic_plus_gives_the_largest_margin_to_the_smallest_cosine()
    {
        // With sigma this large the order of psi - c shows whose margin is larger.
        using DisposeScope scope = NewDisposeScope();
        ElasticFaceMargin margin = new(false, 0.35, 0.3, plus: true, MarginWrap.Plain, MarginGradient.Chain, seed: 8);
        Tensor cosine = tensor(new[] { 0.1, 0.9, 0.5, -0.3 });
        MarginInput input = new(cosine, (1 - cosine * cosine).sqrt(), ones_like(cosine));
        margin.Update(input);
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
        margin.Update(input);
        Tensor margins = -margin.Target(input);
        Assert.Equal(0.35, margins.mean().item<double>(), 2e-3);
        Assert.Equal(0.05, margins.std().item<double>(), 2e-3);
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
        Tensor embeddings = randn([8, 6], generator: generator) * 10;
        Tensor labels = randint(0, 30, [8], dtype: ScalarType.Int64, generator: generator);
        using HeadOutput output = head.ForwardBackward(embeddings, labels);
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
