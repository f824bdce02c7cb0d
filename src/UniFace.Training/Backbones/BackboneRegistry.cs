using UniFace.Vision.Models;

namespace UniFace.Training.Backbones;

/// <summary>The backbones by name: the built-in ones, and those that are registered.</summary>
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

    private static (string Name, bool HasWidth, Func<BackboneSpec, long, Backbone> Create)[] all =
    [
        (MobileFaceNet.Name, true, Layered(MobileFaceNet.Create)),
        ("iresnet18", false, IResNet([2, 2, 2, 2])),
        ("iresnet34", false, IResNet([3, 4, 6, 3])),
        ("iresnet50", false, IResNet([3, 4, 14, 3])),
        ("iresnet100", false, IResNet([3, 13, 30, 3])),
        ("iresnet200", false, IResNet([6, 26, 60, 6])),
        ("efficientnet-b0", false, Layered(EfficientNet.Create)),
        (DlibNet.Name, false, Layered(DlibNet.Create)),
        (DlibNet.MappedName, false, Layered(DlibNet.Create)),
    ];

    /// <summary>All names, smallest family first, then the registered ones.</summary>
    public static IReadOnlyList<string> Names => [.. all.Select(entry => entry.Name)];

    /// <summary>The faces that a backbone takes.</summary>
    public static BackboneInput Input(BackboneSpec spec)
    {
        ModelManifest manifest = Manifest(spec);
        return new BackboneInput(manifest.InputWidth, manifest.Normalization);
    }

    /// <summary>How a backbone is run, without what only its weights decide.</summary>
    internal static ModelManifest Manifest(BackboneSpec spec) => spec.Name is DlibNet.Name or DlibNet.MappedName
        ? DlibResNet.Manifest with { EmbeddingSize = spec.EmbeddingSize }
        : new ModelManifest { EmbeddingSize = spec.EmbeddingSize, OnnxSha256 = "" };

    /// <summary>Checks a specification without building a backbone.</summary>
    /// <exception cref="UniFaceException">The name is unknown, or the width or embedding size is out of range.</exception>
    public static void Validate(BackboneSpec spec) => Find(spec);

    /// <summary>Builds a backbone on the CPU, in training mode.</summary>
    /// <param name="spec">Name, width and embedding size.</param>
    /// <param name="seed">Seed of the weights; no other source of randomness is used.</param>
    /// <exception cref="UniFaceException">The name is unknown, or the width or embedding size is out of range.</exception>
    public static Backbone Create(BackboneSpec spec, long seed) => Find(spec)(spec, seed);

    /// <summary>Adds a backbone of another library, so that runs can use it by its name. For the start of a program: two calls must not overlap.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="create">Builds it on the CPU, in training mode, from its sizes and the seed of the weights.</param>
    /// <param name="hasWidth">True if it can be built with other widths than 1.</param>
    /// <exception cref="ArgumentException">There is a backbone of that name.</exception>
    public static void Register(string name, Func<BackboneSpec, long, Backbone> create, bool hasWidth = false)
    {
        all = Names.Contains(name)
            ? throw new ArgumentException($"There is a backbone '{name}' already.", nameof(name))
            : [.. all, (name, hasWidth, create)];
    }

    private static Func<BackboneSpec, long, Backbone> Layered(Func<BackboneSpec, long, IEnumerable<Layer>> create) =>
        (spec, seed) => new LayeredBackbone(spec, create(spec, seed), Input(spec));

    private static Func<BackboneSpec, long, Backbone> IResNet(int[] blocks) => Layered((spec, seed) => Backbones.IResNet.Create(spec, blocks, seed));

    private static Func<BackboneSpec, long, Backbone> Find(BackboneSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        (string name, bool hasWidth, Func<BackboneSpec, long, Backbone> create) = all.FirstOrDefault(entry => entry.Name == spec.Name);
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
            throw new UniFaceException(FormattableString.Invariant($"Backbone {name} has no width (given: {spec.Width}); leave it at 1."));
        }

        if (spec.EmbeddingSize is < MinEmbeddingSize or > MaxEmbeddingSize)
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"Backbone {name} cannot have embeddings of {spec.EmbeddingSize} values: expected {MinEmbeddingSize} to {MaxEmbeddingSize}."));
        }

        return create;
    }
}
