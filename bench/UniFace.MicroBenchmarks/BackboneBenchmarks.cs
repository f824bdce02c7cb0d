using BenchmarkDotNet.Attributes;
using TorchSharp;
using UniFace.Training.Backbones;

namespace UniFace.MicroBenchmarks;

/// <summary>A backbone's pass without a gradient, and with one there and back.</summary>
public class BackboneBenchmarks
{
    private Backbone backbone = null!;
    private torch.Tensor images = null!;
    private torch.Tensor gradient = null!;

    [Params("mobilefacenet", "iresnet18")]
    public string Name { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        backbone = BackboneRegistry.Create(new BackboneSpec(Name), seed: 1);
        images = torch.rand(16, 3, 112, 112); // [B, 3, H, W]
        gradient = torch.randn(16, 512); // [B, D]
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        backbone.Dispose();
        images.Dispose();
        gradient.Dispose();
    }

    [Benchmark]
    public void Forward()
    {
        backbone.eval();
        using IDisposable noGradient = torch.no_grad();
        using torch.Tensor embeddings = backbone.forward(images);
    }

    [Benchmark]
    public void ForwardBackward()
    {
        backbone.train();
        using torch.Tensor embeddings = backbone.forward(images);
        embeddings.backward([gradient]);
    }
}
