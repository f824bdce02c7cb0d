using TorchSharp;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;
using UniFace.Training.FineTuning;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using static TorchSharp.torch;
using BatchNorm = UniFace.Training.Backbones.BatchNorm;
using Parameter = TorchSharp.Modules.Parameter;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>Frozen stages and statistics keep their bits in a training step; the other stages move at their own rates.</summary>
public class StageRatesTests
{
    private static readonly FineTuneOptions Options = new()
    {
        Source = "",
        Sha256 = "",
        Manifest = new ModelManifest { EmbeddingSize = 16, OnnxSha256 = "" },
    };

    public static TheoryData<string, double> Families => new()
    {
        { "mobilefacenet", 0.25 }, { "iresnet18", 1 }, { "efficientnet-b0", 1 }, { "dlib-resnet", 1 },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void Frozen_stages_and_statistics_keep_their_bits_and_the_others_move(string name, double width)
    {
        using DisposeScope scope = NewDisposeScope();
        using Backbone backbone = PrimedBackbone.Create(name, 16, width);
        LayeredBackbone layered = (LayeredBackbone)backbone;
        IReadOnlyList<IReadOnlyList<Layer>> stages = layered.Stages();
        Assert.True(stages.Count >= 4, $"{stages.Count} stages");
        Assert.Equal(
            backbone.parameters().Sum(p => p.numel()), stages.SelectMany(s => s).SelectMany(l => l.parameters()).Sum(p => p.numel()));
        IReadOnlyDictionary<Parameter, double> rates = StageRates.Apply(backbone, Options with { FrozenStages = 2 });
        HashSet<string> frozen = [.. backbone.named_parameters()
            .Where(p => stages.Take(2).SelectMany(s => s).SelectMany(l => l.parameters()).Any(q => ReferenceEquals(q, p.parameter))).Select(p => p.name)];
        Dictionary<string, Tensor> before = Checkpoint.Tensors(backbone).ToDictionary(t => t.Name, t => t.Value.detach().clone());
        Step(backbone, rates);
        foreach ((string tensor, Tensor value) in Checkpoint.Tensors(backbone))
        {
            bool same = value.equal(before[tensor]).all().item<bool>();
            Assert.True(same == (frozen.Contains(tensor) || value is not Parameter), $"{tensor} {(same ? "has not moved" : "has moved")}");
        }

        Assert.NotEmpty(frozen);
        Assert.All(backbone.named_parameters().Where(p => frozen.Contains(p.name)), p => Assert.Null(p.parameter.grad));
    }

    /// <summary>SGD without momentum moves a weight by rate * gradient.</summary>
    [Fact]
    public void Each_stage_moves_at_its_share_of_the_learning_rate()
    {
        using DisposeScope scope = NewDisposeScope();
        using Backbone backbone = PrimedBackbone.Create("mobilefacenet", 16, 0.25);
        IReadOnlyList<IReadOnlyList<Layer>> stages = ((LayeredBackbone)backbone).Stages();
        IReadOnlyDictionary<Parameter, double> rates = StageRates.Apply(backbone, Options with { FrozenStages = 1, BackboneRate = 0.5, StageDecay = 0.25 });
        Dictionary<Parameter, Tensor> before = backbone.parameters().ToDictionary(p => p, p => p.detach().clone());
        Step(backbone, rates);
        for (int stage = 1; stage < stages.Count; stage++)
        {
            double expected = 0.1 * 0.5 * Math.Pow(0.25, stages.Count - 1 - stage);
            foreach (Parameter parameter in stages[stage].SelectMany(layer => layer.parameters()))
            {
                Tensor moved = before[parameter] - (parameter.grad! * expected);
                Assert.True((moved - parameter).abs().max().item<float>() <= 1e-6 * (1 + (parameter.grad!.abs().max().item<float>() * expected)));
            }
        }
    }

    [Fact]
    public void Freezing_everything_is_refused()
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("dlib-resnet", 1, 128), 1);
        UniFaceException e = Assert.Throws<UniFaceException>(() => StageRates.Apply(backbone, Options with { FrozenStages = 7 }));
        Assert.Contains("7 stages; freeze at most 6", e.Message, StringComparison.Ordinal);
    }

    private static void Step(Backbone backbone, IReadOnlyDictionary<Parameter, double> rates)
    {
        backbone.train();
        Tensor embeddings = backbone.call(PrimedBackbone.Input(3, seed: 5, backbone));
        embeddings.backward([randn_like(embeddings)]);
        NamedParameter[] parameters = [.. ParameterGroups.Collect(WeightDecayRule.All, [("backbone", backbone)]).Select(p => p with { Rate = rates[p.Value] })];
        using SgdOptimizer optimizer = new(parameters, momentum: 0, weightDecay: 0);
        optimizer.Step(0.1);
        Assert.All(backbone.modules().OfType<BatchNorm>(), norm => Assert.True(norm.Frozen));
    }
}
