using BenchmarkDotNet.Attributes;
using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Optimization;

namespace UniFace.Benchmarks;

/// <summary>One step of an optimizer over the weights of a backbone, and the clipping before it.</summary>
[InProcess] // A process of its own would build itself by our own strict rules.
public class OptimizerBenchmarks
{
    private Backbone backbone = null!;
    private IReadOnlyList<NamedParameter> parameters = null!;
    private SgdOptimizer sgd = null!;
    private AdamWOptimizer adamW = null!;

    [Params("mobilefacenet", "iresnet18")]
    public string Name { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        backbone = BackboneRegistry.Create(new BackboneSpec(Name), seed: 1);
        parameters = ParameterGroups.Collect(WeightDecayRule.All, [("backbone", backbone)]);
        foreach (NamedParameter parameter in parameters)
        {
            using torch.Tensor gradient = torch.randn_like(parameter.Value);
            parameter.Value.grad = gradient;
        }

        sgd = new SgdOptimizer(parameters);
        adamW = new AdamWOptimizer(parameters);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        sgd.Dispose();
        adamW.Dispose();
        backbone.Dispose();
    }

    [Benchmark]
    public void Sgd() => sgd.Step(1e-9);

    [Benchmark]
    public void AdamW() => adamW.Step(1e-9);

    [Benchmark]
    public double Clip() => GradientClipping.Clip(parameters, 1e30);
}
