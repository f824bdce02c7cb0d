using BenchmarkDotNet.Attributes;
using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Optimization;

namespace UniFace.MicroBenchmarks;

/// <summary>One step of an optimizer over the weights of a backbone, the clipping before it and the moving average after it.</summary>
public class OptimizerBenchmarks
{
    private Backbone backbone = null!;
    private IReadOnlyList<NamedParameter> parameters = null!;
    private SgdOptimizer sgd = null!;
    private AdamWOptimizer adamW = null!;
    private MovingAverage average = null!;

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
        average = new MovingAverage(backbone, 0.999);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        sgd.Dispose();
        adamW.Dispose();
        average.Dispose();
        backbone.Dispose();
    }

    [Benchmark]
    public void Sgd() => sgd.Step(1e-9);

    [Benchmark]
    public void AdamW() => adamW.Step(1e-9);

    [Benchmark]
    public void Average() => average.Update(1000);

    [Benchmark]
    public double Clip() => GradientClipping.Clip(parameters, 1e30);
}
