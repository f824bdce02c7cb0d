using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Vision.Onnx;

/// <summary>How to run a model, where its file does not say it.</summary>
public sealed record EmbedderOptions
{
    /// <summary>For a bare .onnx file: from pixels to input; null for (x - 127.5) / 127.5.</summary>
    public PixelNormalization? Normalization { get; init; }

    /// <summary>For a bare .onnx file: order of the colour planes; null for RGB.</summary>
    public ColorOrder? ColorOrder { get; init; }

    /// <summary>For a bare .onnx file: the output that is the embedding; null to choose by shape and name.</summary>
    public string? Output { get; init; }

    /// <summary>Whether embeddings are summed with those of the mirrored faces; null for what the package says, or no.</summary>
    public bool? FlipSum { get; init; }

    /// <summary>Cores to use; 0 for all.</summary>
    public int Threads { get; init; }
}

/// <summary>Opens what the command line calls PACKAGE: a package folder or a bare .onnx file.</summary>
public static class Embedders
{
    /// <summary>Opens a package folder or a bare .onnx file as an embedder.</summary>
    /// <exception cref="UniFaceException">It cannot be opened, or an option contradicts what the package says of itself.</exception>
    public static OnnxEmbedder Open(string path, EmbedderOptions? options = null) => Open(ModelPackage.Open(path), options);

    /// <summary>Opens an opened package as an embedder.</summary>
    /// <exception cref="UniFaceException">It cannot be opened, or an option contradicts what the package says of itself.</exception>
    public static OnnxEmbedder Open(ModelPackage package, EmbedderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(package);
        options ??= new EmbedderOptions();
        if (package.Manifest is not ModelManifest manifest)
        {
            return OnnxEmbedder.Open(package.OnnxPath, shape => ManifestOf(shape, package.OnnxPath, options), options.Threads, options.Output);
        }

        if ((options.Normalization is PixelNormalization normalization && normalization != manifest.Normalization) || (options.ColorOrder is ColorOrder order && order != manifest.ColorOrder))
        {
            throw new UniFaceException($"{package.Source}: the package says itself how pixels go in ({manifest.Normalization.Mean},{manifest.Normalization.Deviation}, {manifest.ColorOrder}); leave out --normalize and --color, they are for bare .onnx files.");
        }

        if (options.Output is string output && output != manifest.Output)
        {
            throw new UniFaceException(
                $"{package.Source}: the package says itself which output is the embedding; leave out --output {output}, it is for bare .onnx files.");
        }

        return OnnxEmbedder.Open(package.OnnxPath, manifest with { FlipSum = options.FlipSum ?? manifest.FlipSum }, options.Threads);
    }

    private static ModelManifest ManifestOf(OnnxModelShape shape, string path, EmbedderOptions options)
    {
        if (shape.EmbeddingSize == 0)
        {
            throw new UniFaceException($"{path}: the file does not say how many values an embedding has; expected an output of NxD.");
        }

        PixelNormalization normalization = options.Normalization ?? PixelNormalization.Default;
        if (!float.IsFinite(normalization.Mean) || !float.IsFinite(normalization.Deviation) || normalization.Deviation <= 0)
        {
            throw new UniFaceException($"--normalize {normalization.Mean},{normalization.Deviation}: expected a finite mean and a deviation above 0, e.g. 127.5,127.5.");
        }

        return new ModelManifest
        {
            EmbeddingSize = shape.EmbeddingSize,
            InputWidth = shape.Width > 0 ? shape.Width : 112,
            InputHeight = shape.Height > 0 ? shape.Height : 112,
            Normalization = normalization,
            ColorOrder = options.ColorOrder ?? ColorOrder.Rgb,
            FlipSum = options.FlipSum ?? false,
            Output = options.Output,
            OnnxFile = Path.GetFileName(path),
            OnnxSha256 = Sha256.HashFile(path),
        };
    }
}
