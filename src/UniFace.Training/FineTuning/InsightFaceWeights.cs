namespace UniFace.Training.FineTuning;

/// <summary>
/// Weights of InsightFace's iresnet as its PyTorch code names them (arcface_torch, also those of CosFace, Partial FC and AdaFace's wrappers under a
/// prefix): conv1, bn1, prelu, layer1.0.bn1 ..., bn2, fc, features.
/// </summary>
internal static class InsightFaceWeights
{
    private static readonly string[] Prefixes = ["", "module.", "backbone.", "model.", "state_dict."];
    private static readonly string[] BlockParts = ["bn1", "conv1", "prelu", "conv2"];

    /// <summary>A backbone with the weights of a .pth or .safetensors file.</summary>
    /// <returns>The backbone, which the caller owns, and the name of each weight in the file.</returns>
    /// <exception cref="UniFaceException">It is not such a file, or the network is another one.</exception>
    public static (LayeredBackbone Backbone, IReadOnlyList<ImportedWeight> Read) Load(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Dictionary<string, Tensor> file = ReadFile(path);
        string prefix = Prefixes.FirstOrDefault(p => file.ContainsKey(p + "conv1.weight") && file.ContainsKey(p + "fc.weight"))
            ?? throw new UniFaceException(
                $"{path} has {file.Count} tensors ({string.Join(", ", file.Keys.Order(StringComparer.Ordinal).Take(3))} ...), and they are not those " +
                "of InsightFace's iresnet (conv1.weight, layer1.0.bn1.weight, ..., fc.weight).");
        int[] depth =
        [
            .. Enumerable.Range(1, 4).Select(layer => Enumerable.Range(0, 200).Count(b => file.ContainsKey($"{prefix}layer{layer}.{b}.conv1.weight"))),
        ];
        string name = $"iresnet{2 + (2 * depth.Sum())}";
        if (!BackboneRegistry.Names.Contains(name))
        {
            throw new UniFaceException($"{path}: an iresnet with {string.Join('-', depth)} blocks is not known; expected 18, 34, 50, 100 or 200 layers.");
        }

        BackboneSpec spec = new(name, 1, (int)file[prefix + "fc.weight"].shape[0]);
        LayeredBackbone backbone = (LayeredBackbone)BackboneRegistry.Create(spec, seed: 1);
        try
        {
            List<ImportedWeight> read = [];
            foreach ((string own, Tensor target) in Checkpoint.Tensors(backbone))
            {
                string theirs = prefix + NameOf(own, depth);
                if (!file.TryGetValue(theirs, out Tensor? source) || !source.shape.SequenceEqual(target.shape))
                {
                    throw new UniFaceException(
                        $"{path}: {theirs} is {(source is null ? "missing" : $"[{string.Join(", ", source.shape)}]")}, expected " +
                        $"[{string.Join(", ", target.shape)}].");
                }

                target.copy_(source);
                read.Add(new ImportedWeight(own, theirs));
                if (own.EndsWith("norm.running_mean", StringComparison.Ordinal) && theirs == prefix + "features.running_mean"
                    && file.TryGetValue(prefix + "fc.bias", out Tensor? bias))
                {
                    target.sub_(bias); // norm(W x + b) = norm'(W x) with the mean moved by b.
                }
            }

            backbone.eval();
            return (backbone, read);
        }
        catch
        {
            backbone.Dispose();
            throw;
        }
    }

    private static Dictionary<string, Tensor> ReadFile(string path)
    {
        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            return TorchFile.Read(path);
        }

        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        return file.Entries.Keys.ToDictionary(name => name, name => file.Read(name).to(ScalarType.Float32));
    }

    /// <summary>InsightFace's name of a tensor: "body.2.body.1.norm.bias" is "layer1.0.bn2.bias".</summary>
    private static string NameOf(string own, int[] depth)
    {
        string[] parts = own.Split('.');
        string last = parts[^1];
        bool norm = parts[^2] == "norm";
        int index = int.Parse(parts[1], CultureInfo.InvariantCulture) - 2;
        if (index < 0)
        {
            return index == -1 ? "prelu.weight" : norm ? $"bn1.{last}" : "conv1.weight";
        }

        int layer = 0;
        while (layer < 4 && index >= depth[layer])
        {
            index -= depth[layer++];
        }

        if (layer == 4)
        {
            return parts[2] == "before" ? $"bn2.{last}" : norm ? $"features.{last}" : "fc.weight";
        }

        string block = $"layer{layer + 1}.{index}";
        if (parts[2] == "shortcut")
        {
            return norm ? $"{block}.downsample.1.{last}" : $"{block}.downsample.0.weight";
        }

        int part = int.Parse(parts[3], CultureInfo.InvariantCulture);
        return norm ? $"{block}.bn{(part == 1 ? 2 : 3)}.{last}" : $"{block}.{BlockParts[part]}.{last}";
    }
}
