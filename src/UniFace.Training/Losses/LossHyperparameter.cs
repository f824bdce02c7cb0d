using System.Reflection;

namespace UniFace.Training.Losses;

/// <summary>The kind of value of a hyperparameter.</summary>
internal enum HyperparameterKind
{
    /// <summary>A real number.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A real number, or "auto": computed from the number of classes.</summary>
    NumberOrAuto,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>One of several words.</summary>
    Choice,
}

/// <summary>
/// One hyperparameter of a loss, read from its property and <see cref="HyperparameterAttribute"/>: its name in text, the paper's
/// default, its range and its meaning.
/// </summary>
internal sealed class LossHyperparameter
{
    /// <summary>The text for a value that is computed from the number of classes.</summary>
    public const string Auto = "auto";

    /// <summary>The hyperparameter that decides which of the others apply.</summary>
    public const string MarginType = "margin-type";

    private readonly PropertyInfo property;
    private readonly HyperparameterAttribute attribute;

    internal LossHyperparameter(PropertyInfo property, HyperparameterAttribute attribute, Loss defaults)
    {
        this.property = property;
        this.attribute = attribute;
        Name = Kebab(property.Name);
        Kind = property.PropertyType == typeof(bool) ? HyperparameterKind.Flag
            : property.PropertyType == typeof(int) ? HyperparameterKind.Whole
            : property.PropertyType.IsEnum ? HyperparameterKind.Choice
            : property.PropertyType == typeof(double?) && double.IsNaN(attribute.Default) ? HyperparameterKind.NumberOrAuto : HyperparameterKind.Number;
        Choices = Kind == HyperparameterKind.Choice ? [.. Enum.GetNames(property.PropertyType).Select(Kebab)] : [];
        Default = Read(defaults);
    }

    /// <summary>The name in text, JSON and options: "margin", "negative-rate".</summary>
    public string Name { get; }

    /// <summary>The kind of value.</summary>
    public HyperparameterKind Kind { get; }

    /// <summary>The paper's default, as text.</summary>
    public string Default { get; }

    /// <summary>What it does, in one line, with its unit.</summary>
    public string Meaning => attribute.Meaning;

    /// <summary>The smallest number allowed.</summary>
    public double Minimum => attribute.Minimum;

    /// <summary>True if <see cref="Minimum"/> itself is not allowed.</summary>
    public bool MinimumExcluded => attribute.MinimumExcluded;

    /// <summary>The largest number allowed.</summary>
    public double Maximum => attribute.Maximum;

    /// <summary>The words of a choice.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>Typical values, for the error about a value out of range; empty if the default is enough.</summary>
    public string Typical => attribute.Typical;

    /// <summary>The values of "margin-type" for which this hyperparameter exists; empty: all.</summary>
    public IReadOnlyList<string> MarginTypes => attribute.MarginTypes;

    /// <summary>True for a margin or a scale: larger values make the loss harder, and training diverges sooner.</summary>
    public bool LowerIfDiverging => attribute.LowerIfDiverging;

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
    /// <exception cref="UniFaceException">The value cannot be parsed or is out of range; the message names the range and typical values.</exception>
    public string Parse(string loss, string value)
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
            $"loss '{loss}': {Name} = {value.Trim()} is not allowed; it takes {Range} (typical: {(Typical.Length > 0 ? Typical : Default)}).");
    }

    internal bool AppliesTo(string? marginType) => MarginTypes.Count == 0 || (marginType is not null && MarginTypes.Contains(marginType));

    /// <summary>True if a property that may be null has a value.</summary>
    internal bool IsSet(Loss loss) => property.PropertyType == typeof(double?) && property.GetValue(loss) is not null;

    /// <summary>The value of a loss as canonical text.</summary>
    internal string Read(Loss loss) => property.GetValue(loss) switch
    {
        null => double.IsNaN(attribute.Default) ? Auto : attribute.Default.ToString(CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        Enum choice => Kebab(choice.ToString()),
        object number => Convert.ToString(number, CultureInfo.InvariantCulture)!,
    };

    /// <summary>Sets the value of a loss from canonical text.</summary>
    internal void Write(Loss loss, string text) => property.SetValue(loss, Kind switch
    {
        HyperparameterKind.Flag => bool.Parse(text),
        HyperparameterKind.Choice => Enum.Parse(property.PropertyType, text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true),
        HyperparameterKind.Whole => (int)double.Parse(text, CultureInfo.InvariantCulture),
        _ => text == Auto ? null : double.Parse(text, CultureInfo.InvariantCulture),
    });

    private static string Kebab(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
