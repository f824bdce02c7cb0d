using System.Globalization;

namespace UniFace.Training.Losses.Registry;

/// <summary>What a hyperparameter's value can be.</summary>
public enum HyperparameterKind
{
    /// <summary>A real number.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A real number, or "auto": computed from the number of classes.</summary>
    NumberOrAuto,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>One of a few words.</summary>
    Choice,
}

/// <summary>
/// One hyperparameter of a loss: its name on the command line, the paper's default, the range that is checked, and what it means.
/// </summary>
/// <param name="Name">The name, as on the command line without the dashes: "margin", "negative-rate".</param>
/// <param name="Kind">What a value can be.</param>
/// <param name="Default">The paper's default, as text.</param>
/// <param name="Meaning">What it does, in one line, with its unit.</param>
public sealed record LossHyperparameter(string Name, HyperparameterKind Kind, string Default, string Meaning)
{
    /// <summary>The word for a value that is computed from the number of classes.</summary>
    public const string Auto = "auto";

    /// <summary>The smallest number allowed.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>True where <see cref="Minimum"/> itself is not allowed.</summary>
    public bool MinimumExcluded { get; init; }

    /// <summary>The largest number allowed.</summary>
    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>The words of a choice.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>What is usual, for the message about a value out of range; empty where the default says it all.</summary>
    public string Usual { get; init; } = "";

    /// <summary>The values of "margin-type" under which this hyperparameter exists; empty: always.</summary>
    public IReadOnlyList<string> MarginTypes { get; init; } = [];

    /// <summary>True for a margin or a scale: the larger it is, the harder the loss, and the sooner training diverges.</summary>
    public bool Hardens { get; init; }

    /// <summary>The range in words: "0 to 1.5", "above 0, up to 1", "guard, plain or easy".</summary>
    public string Range
    {
        get
        {
            string low = Minimum.ToString(CultureInfo.InvariantCulture);
            string high = Maximum.ToString(CultureInfo.InvariantCulture);
            string numbers = MinimumExcluded ? $"above {low}, up to {high}" : $"{low} to {high}";
            return Kind switch
            {
                HyperparameterKind.Flag => "true or false",
                HyperparameterKind.Choice => string.Join(", ", Choices.Take(Choices.Count - 1)) + " or " + Choices[^1],
                HyperparameterKind.NumberOrAuto => numbers + ", or auto",
                HyperparameterKind.Whole => numbers + ", whole",
                _ => numbers,
            };
        }
    }

    /// <summary>A value in its canonical text: numbers in the shortest form that reads back the same.</summary>
    /// <exception cref="UniFaceException">The value is not one or is out of range; says loss, hyperparameter, range and what is usual.</exception>
    public string Check(string loss, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        string text = value.Trim();
        bool valid;
        switch (Kind)
        {
            case HyperparameterKind.Flag:
                valid = bool.TryParse(text, out bool flag);
                text = flag ? "true" : "false";
                break;
            case HyperparameterKind.Choice:
                valid = Choices.Contains(text);
                break;
            case HyperparameterKind.NumberOrAuto when text == Auto:
                valid = true;
                break;
            default:
                valid = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                    && double.IsFinite(number) && number <= Maximum && (MinimumExcluded ? number > Minimum : number >= Minimum)
                    && (Kind != HyperparameterKind.Whole || number == Math.Floor(number));
                text = number.ToString(CultureInfo.InvariantCulture);
                break;
        }

        return valid ? text : throw new UniFaceException(
            $"loss '{loss}': {Name} = {value.Trim()} is not allowed; it takes {Range} (usual: {(Usual.Length > 0 ? Usual : Default)}).");
    }
}
