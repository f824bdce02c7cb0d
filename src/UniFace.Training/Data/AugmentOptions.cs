namespace UniFace.Training.Data;

/// <summary>
/// How images are augmented: the probability of each augmentation, from 0 (never) to 1 (always). The strengths are those of the cited papers' code.
/// </summary>
public sealed record AugmentOptions
{
    private static readonly (string Name, Func<AugmentOptions, double> Get, Func<AugmentOptions, double, AugmentOptions> Set)[] All =
    [
        ("flip", o => o.Flip, (o, p) => o with { Flip = p }),
        ("shift", o => o.Shift, (o, p) => o with { Shift = p }),
        ("color", o => o.Color, (o, p) => o with { Color = p }),
        ("blur", o => o.Blur, (o, p) => o with { Blur = p }),
        ("lowres", o => o.LowResolution, (o, p) => o with { LowResolution = p }),
        ("erase", o => o.Erase, (o, p) => o with { Erase = p }),
        ("warp", o => o.Warp, (o, p) => o with { Warp = p }),
        ("mix", o => o.Mix, (o, p) => o with { Mix = p }),
    ];

    /// <summary>Mirrors half of the images, as every published recipe does.</summary>
    public static AugmentOptions Default { get; } = new();

    /// <summary>No augmentation.</summary>
    public static AugmentOptions None { get; } = new() { Flip = 0 };

    /// <summary>Mirrored left to right.</summary>
    public double Flip { get; init; } = 0.5;

    /// <summary>Moved by up to <see cref="MaxShift"/> of the side in each direction; the border pixels are repeated.</summary>
    public double Shift { get; init; }

    /// <summary>Brightness, contrast and saturation, each by a factor of 0.5 to 1.5 (AdaFace's photometric augmentation).</summary>
    public double Color { get; init; }

    /// <summary>Gaussian blur with a deviation of 0.3 to 2 pixels.</summary>
    public double Blur { get; init; }

    /// <summary>Scaled down to 20 to 100 % of the side and back up (AdaFace's low-resolution augmentation).</summary>
    public double LowResolution { get; init; }

    /// <summary>A rectangle of 2 to 30 % of the area filled with one random color (Random Erasing, Zhong et al., 2017).</summary>
    public double Erase { get; init; }

    /// <summary>Turned by up to 15 degrees, scaled by a factor of 0.85 to 1.18 and moved by up to 8 % of the side; black outside.</summary>
    public double Warp { get; init; }

    /// <summary>
    /// Blended with another image of the set, of which up to half shows (mixup, Zhang et al. 2018). The blend has no label, so it needs a
    /// teacher that sees the augmented images and a run that does not use labels.
    /// </summary>
    public double Mix { get; init; }

    /// <summary>Largest <see cref="Shift"/> as a share of the side.</summary>
    internal const double MaxShift = 0.05;

    /// <summary>
    /// Parses "flip=0.5,color=0.2,blur=0.1". An augmentation that is not named is off, "none" turns all off, "flip" without a probability is
    /// flip=0.5, and any other name without one is 0.2.
    /// </summary>
    /// <exception cref="UniFaceException">A name is unknown, or a probability is out of range.</exception>
    public static AugmentOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        AugmentOptions options = None;
        foreach (string item in text.Trim() is "none" or "" ? [] : text.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] parts = item.Split('=', 2, StringSplitOptions.TrimEntries);
            int index = Array.FindIndex(All, w => w.Name == parts[0]);
            if (index < 0)
            {
                throw new UniFaceException($"there is no augmentation '{parts[0]}'; expected none or some of " +
                    $"{string.Join(", ", All.Select(w => w.Name))}, as in flip=0.5,color=0.2.");
            }

            double probability = parts[0] == "flip" ? 0.5 : 0.2;
            if (parts.Length == 2
                && !(double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out probability) && probability is >= 0 and <= 1))
            {
                throw new UniFaceException($"augmentation {parts[0]} has the probability '{parts[1]}', expected 0 to 1.");
            }

            options = All[index].Set(options, probability);
        }

        return options;
    }

    /// <summary>"flip=0.5,color=0.2", or "none"; the inverse of <see cref="Parse"/>.</summary>
    public override string ToString()
    {
        string text = string.Join(',', All.Where(a => a.Get(this) > 0).Select(a => FormattableString.Invariant($"{a.Name}={a.Get(this)}")));
        return text.Length > 0 ? text : "none";
    }

    /// <summary>Throws if a probability is out of range.</summary>
    internal void Validate()
    {
        foreach ((string name, Func<AugmentOptions, double> get, _) in All)
        {
            if (!(get(this) is >= 0 and <= 1))
            {
                throw new UniFaceException(FormattableString.Invariant($"augmentation {name} has the probability {get(this)}, expected 0 to 1."));
            }
        }
    }
}
