using UniFace.Vision.Models;

namespace UniFace.Training.Backbones;

/// <summary>The built-in backbones by name.</summary>
public static class BackboneRegistry
{
    /// <summary>Smallest width of a family with a width.</summary>
    public const double MinWidth = 0.25;

    /// <summary>Largest width of a family with a width.</summary>
    public const double MaxWidth = 2;

    /// <summary>Smallest embedding size.</summary>
    public const int MinEmbeddingSize = 8;

    /// <summary>Largest embedding size.</summary>
    public const int MaxEmbeddingSize = 4096;

    private static readonly (string Name, bool HasWidth, Func<BackboneSpec, long, IEnumerable<Layer>> Create)[] All =
    [
        ("mobilefacenet", true, MobileFaceNet.Create),
        ("iresnet18", false, (spec, seed) => IResNet.Create(spec, [2, 2, 2, 2], seed)),
        ("iresnet34", false, (spec, seed) => IResNet.Create(spec, [3, 4, 6, 3], seed)),
        ("iresnet50", false, (spec, seed) => IResNet.Create(spec, [3, 4, 14, 3], seed)),
        ("iresnet100", false, (spec, seed) => IResNet.Create(spec, [3, 13, 30, 3], seed)),
        ("iresnet200", false, (spec, seed) => IResNet.Create(spec, [6, 26, 60, 6], seed)),
        ("efficientnet-b0", false, EfficientNet.Create),
        (DlibNet.Name, false, DlibNet.Create),
    ];

    /// <summary>All names, smallest family first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(entry => entry.Name)];

    /// <summary>The faces that a backbone takes.</summary>
    public static BackboneInput Input(BackboneSpec spec)
    {
        ModelManifest manifest = Manifest(spec);
        return new BackboneInput(manifest.InputWidth, manifest.Normalization);
    }

    /// <summary>How a backbone is run, without what only its weights decide.</summary>
    internal static ModelManifest Manifest(BackboneSpec spec) => spec.Name == DlibNet.Name
        ? DlibResNet.Manifest with { EmbeddingSize = spec.EmbeddingSize }
        : new ModelManifest { EmbeddingSize = spec.EmbeddingSize, OnnxSha256 = "" };

    /// <summary>Checks a specification without building a backbone.</summary>
    /// <exception cref="UniFaceException">The name is unknown, or the width or embedding size is out of range.</exception>
    public static void Validate(BackboneSpec spec) => Find(spec);

    /// <summary>Builds a backbone on the CPU, in training mode.</summary>
    /// <param name="spec">Name, width and embedding size.</param>
    /// <param name="seed">Seed of the weights; no other source of randomness is used.</param>
    /// <exception cref="UniFaceException">The name is unknown, or the width or embedding size is out of range.</exception>
    public static Backbone Create(BackboneSpec spec, long seed) => new LayeredBackbone(spec, Find(spec)(spec, seed), Input(spec));

    private static Func<BackboneSpec, long, IEnumerable<Layer>> Find(BackboneSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        (string name, bool hasWidth, Func<BackboneSpec, long, IEnumerable<Layer>> create) = All.FirstOrDefault(entry => entry.Name == spec.Name);
        if (create is null)
        {
            throw new UniFaceException($"There is no backbone '{spec.Name}'; there are {string.Join(", ", Names)}.");
        }

        if (hasWidth && !(spec.Width is >= MinWidth and <= MaxWidth))
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"Backbone {name} cannot have width {spec.Width}: expected {MinWidth} to {MaxWidth}."));
        }

        if (!hasWidth && spec.Width != 1)
        {
            string withWidth = string.Join(", ", All.Where(entry => entry.HasWidth).Select(entry => entry.Name));
            throw new UniFaceException(FormattableString.Invariant(
                $"Backbone {name} has no width (given: {spec.Width}); only {withWidth} has one. Leave it at 1."));
        }

        if (spec.EmbeddingSize is < MinEmbeddingSize or > MaxEmbeddingSize)
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"Backbone {name} cannot have embeddings of {spec.EmbeddingSize} values: expected {MinEmbeddingSize} to {MaxEmbeddingSize}."));
        }

        return create;
    }
}
