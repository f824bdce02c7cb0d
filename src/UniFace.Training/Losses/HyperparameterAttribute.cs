namespace UniFace.Training.Losses;

/// <summary>
/// Makes a property of a <see cref="Loss"/> a hyperparameter: NegativeRate becomes "negative-rate". A double or int has a range; a bool or an
/// enum takes all values of its type; a double? has <see cref="Default"/> when it is null. Several attributes on one property, each with
/// its <see cref="MarginTypes"/>, describe the property under each margin type.
/// </summary>
/// <param name="meaning">What it does, in one line, with its unit.</param>
/// <param name="minimum">The smallest value allowed.</param>
/// <param name="maximum">The largest value allowed.</param>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public class HyperparameterAttribute(
    string meaning,
    double minimum = double.NegativeInfinity,
    double maximum = double.PositiveInfinity) : Attribute
{
    /// <summary>What it does, in one line, with its unit.</summary>
    public string Meaning { get; } = meaning;

    /// <summary>The smallest value allowed.</summary>
    public double Minimum { get; } = minimum;

    /// <summary>The largest value allowed.</summary>
    public double Maximum { get; } = maximum;

    /// <summary>True if <see cref="Minimum"/> itself is not allowed.</summary>
    public bool MinimumExcluded { get; set; }

    /// <summary>True for a margin or a scale: larger values make the loss harder, and training diverges sooner.</summary>
    public bool LowerIfDiverging { get; set; }

    /// <summary>Typical values, for the error about a value out of range; empty if the default is enough.</summary>
    public string Typical { get; set; } = "";

    /// <summary>The value that null stands for; NaN for "auto", a value computed from the number of classes.</summary>
    public double Default { get; set; } = double.NaN;

    /// <summary>The values of "margin-type" for which the hyperparameter exists; empty: all.</summary>
    public string[] MarginTypes { get; set; } = [];
}

/// <summary>s, the factor that makes logits of cosines.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ScaleAttribute : HyperparameterAttribute
{
    public ScaleAttribute()
        : base("s, factor that makes logits of cosines.", 0, 10_000)
    {
        MinimumExcluded = true;
        LowerIfDiverging = true;
        Typical = "30 to 64";
    }
}

/// <summary>m, subtracted from the target cosine.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MarginOnCosineAttribute : HyperparameterAttribute
{
    public MarginOnCosineAttribute()
        : base("m, subtracted from the target cosine.", 0, 1.5)
    {
        LowerIfDiverging = true;
        Typical = "0.2 to 0.5";
    }
}

/// <summary>m, added to the target angle.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MarginOnAngleAttribute : HyperparameterAttribute
{
    public MarginOnAngleAttribute()
        : base("m, added to the target angle, in radians.", 0, 1.5)
    {
        LowerIfDiverging = true;
        Typical = "0.3 to 0.5; 0.5 radians are 28.6 degrees";
    }
}

/// <summary>What happens where theta + m exceeds pi.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WrapAttribute()
    : HyperparameterAttribute("Where theta + m exceeds pi: guard keeps falling, plain rises again, easy has a margin only above cosine 0.");

/// <summary>How the gradient passes through the margin.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class GradientAttribute()
    : HyperparameterAttribute("How the gradient passes through the margin: by the chain rule, or as if it were a constant offset.");
