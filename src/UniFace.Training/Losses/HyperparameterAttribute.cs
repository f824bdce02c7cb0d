namespace UniFace.Training.Losses;

/// <summary>
/// Makes a property of a <see cref="Loss"/> a hyperparameter: "negative-rate" for NegativeRate. A double or int has a range; a bool and an enum
/// say all by their type; a double? takes <see cref="Default"/> if it is null. Several on one property, each with its <see cref="MarginTypes"/>,
/// say what the property means under each margin type.
/// </summary>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public class HyperparameterAttribute : Attribute
{
    /// <summary>A number.</summary>
    /// <param name="meaning">What it does, in one line, with its unit.</param>
    /// <param name="minimum">The smallest value allowed.</param>
    /// <param name="maximum">The largest value allowed.</param>
    public HyperparameterAttribute(string meaning, double minimum, double maximum)
    {
        Meaning = meaning;
        Minimum = minimum;
        Maximum = maximum;
    }

    /// <summary>A flag or a choice.</summary>
    /// <param name="meaning">What it does, in one line.</param>
    public HyperparameterAttribute(string meaning)
        : this(meaning, double.NegativeInfinity, double.PositiveInfinity)
    {
    }

    /// <summary>What it does, in one line, with its unit.</summary>
    public string Meaning { get; }

    /// <summary>The smallest value allowed.</summary>
    public double Minimum { get; }

    /// <summary>The largest value allowed.</summary>
    public double Maximum { get; }

    /// <summary>True if <see cref="Minimum"/> itself is not allowed.</summary>
    public bool MinimumExcluded { get; set; }

    /// <summary>True for a margin or a scale: the larger it is, the harder the loss, and the sooner training diverges.</summary>
    public bool Hardens { get; set; }

    /// <summary>What is usual, for the message about a value out of range; empty if the default says it all.</summary>
    public string Usual { get; set; } = "";

    /// <summary>What null stands for, as text: a number, or "auto".</summary>
    public string Default { get; set; } = "";

    /// <summary>The values of "margin-type" under which the hyperparameter exists; empty: always.</summary>
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
        Hardens = true;
        Usual = "30 to 64";
    }
}

/// <summary>m, subtracted from the target cosine.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CosineMarginAttribute : HyperparameterAttribute
{
    public CosineMarginAttribute()
        : base("m, subtracted from the target cosine.", 0, 1.5)
    {
        Hardens = true;
        Usual = "0.2 to 0.5";
    }
}

/// <summary>m, added to the target angle.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AngularMarginAttribute : HyperparameterAttribute
{
    public AngularMarginAttribute()
        : base("m, added to the target angle, in radians.", 0, 1.5)
    {
        Hardens = true;
        Usual = "0.3 to 0.5; 0.5 radians are 28.6 degrees";
    }
}

/// <summary>What happens where theta + m passes pi.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WrapAttribute()
    : HyperparameterAttribute("Where theta + m passes pi: guard goes on falling, plain rises again, easy has a margin only above cosine 0.");

/// <summary>How the gradient passes the margin.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class GradientAttribute()
    : HyperparameterAttribute("How the gradient passes the margin: by the chain rule, or as if it were a constant offset.");
