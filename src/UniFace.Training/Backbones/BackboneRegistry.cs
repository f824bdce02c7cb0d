using System.Globalization;

namespace UniFace.Training.Backbones;

/// <summary>Every backbone there is, by name.</summary>
public static class BackboneRegistry
{
    /// <summary>Smallest width of a backbone that has one.</summary>
    public const double MinWidth = 0.25;

    /// <summary>Largest width of a backbone that has one.</summary>
    public const double MaxWidth = 2;

    /// <summary>Fewest values an embedding may have.</summary>
    public const int MinEmbeddingSize = 8;

    /// <summary>Most values an embedding may have.</summary>
    public const int MaxEmbeddingSize = 4096;

    private static readonly (string Name, bool HasWidth, Func<BackboneSpec, long, Backbone> Create)[] All =
    [
        ("mobilefacenet", true, (spec, seed) => new MobileFaceNet(spec, seed)),
        ("iresnet18", false, (spec, seed) => new IResNet(spec, [2, 2, 2, 2], seed)),
        ("iresnet34", false, (spec, seed) => new IResNet(spec, [3, 4, 6, 3], seed)),
        ("iresnet50", false, (spec, seed) => new IResNet(spec, [3, 4, 14, 3], seed)),
        ("iresnet100", false, (spec, seed) => new IResNet(spec, [3, 13, 30, 3], seed)),
        ("iresnet200", false, (spec, seed) => new IResNet(spec, [6, 26, 60, 6], seed)),
        ("efficientnet-b0", false, (spec, seed) => new EfficientNet(spec, seed)),
    ];

    /// <summary>All names, smallest family first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(entry => entry.Name)];

    /// <summary>Side length in pixels of the aligned faces that every backbone takes.</summary>
    public const int InputSize = 112;

    /// <summary>Checks a specification without building anything.</summary>
    /// <exception cref="UniFaceException">The name is unknown, or the width or embedding size is out of range.</exception>
    public static void Validate(BackboneSpec spec) => Find(spec);

    /// <summary>Builds a backbone on the CPU, in training mode.</summary>
    /// <param name="spec">Name, width and embedding size.</param>
    /// <param name="seed">Decides every weight; no other source of randomness is read or moved.</param>
    /// <exception cref="UniFaceException">The name is unknown, or the width or embedding size is out of range.</exception>
    public static Backbone Create(BackboneSpec spec, long seed) => Find(spec)(spec, seed);

    private static Func<BackboneSpec, long, Backbone> Find(BackboneSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        foreach ((string name, bool hasWidth, Func<BackboneSpec, long, Backbone> create) in All)
        {
            if (name != spec.Name)
            {
                continue;
            }

            if (hasWidth && !(spec.Width is >= MinWidth and <= MaxWidth))
            {
                throw new UniFaceException(Text($"Backbone {name} cannot have width {spec.Width}: expected {MinWidth} to {MaxWidth}."));
            }

            if (!hasWidth && spec.Width != 1)
            {
                IEnumerable<string> withWidth = All.Where(entry => entry.HasWidth).Select(entry => entry.Name);
                throw new UniFaceException(Text($"Backbone {name} has no width (given: {spec.Width}); only {string.Join(", ", withWidth)} has one: leave it at 1."));
            }

            if (spec.EmbeddingSize is < MinEmbeddingSize or > MaxEmbeddingSize)
            {
                throw new UniFaceException(Text($"Backbone {name} cannot have embeddings of {spec.EmbeddingSize} values: expected {MinEmbeddingSize} to {MaxEmbeddingSize}."));
            }

            return create;
        }

        throw new UniFaceException($"There is no backbone '{spec.Name}'; there are {string.Join(", ", Names)}.");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
