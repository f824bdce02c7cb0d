using UniFace.Training.Backbones;

namespace UniFace.Benchmarks.Planning;

/// <summary>What a backbone of 112 x 112 images costs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="MultiplyAdds">Multiply-adds of a forward pass of one image.</param>
/// <param name="Parameters">P.</param>
/// <param name="ActivationBytes">Bytes of a training step per image of the batch, in float32.</param>
internal sealed record BackboneCost(string Name, double MultiplyAdds, long Parameters, double ActivationBytes)
{
    // Multiply-adds: the MobileFaceNets paper and InsightFace's table. Activations: bench step, peak memory of two batches.
    private static readonly Dictionary<string, (double MultiplyAdds, double ActivationBytes)> Known = new()
    {
        ["mobilefacenet"] = (0.221e9, 45e6),
        ["iresnet18"] = (2.6e9, 65e6),
        ["iresnet50"] = (6.3e9, 88e6),
        ["iresnet100"] = (12.1e9, 130e6),
    };

    /// <summary>The names of the backbones whose cost is known.</summary>
    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>The cost of a backbone.</summary>
    /// <exception cref="UniFaceException">It is not known.</exception>
    public static BackboneCost Create(BackboneSpec spec)
    {
        if (!Known.TryGetValue(spec.Name, out (double MultiplyAdds, double ActivationBytes) cost))
        {
            throw new UniFaceException($"--backbone {spec.Name}: the operations are known of {string.Join(", ", Names)}.");
        }

        using Backbone backbone = BackboneRegistry.Create(spec, 1);
        return new BackboneCost(spec.Name, cost.MultiplyAdds, backbone.parameters().Sum(p => p.numel()), cost.ActivationBytes);
    }
}
