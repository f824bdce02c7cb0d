using System.CommandLine.Parsing;

namespace UniFace.CommandLine.Terminal;

/// <summary>How the help of a command shows an option.</summary>
internal interface IHelpOption
{
    /// <summary>The heading under which the help lists it; null with the options of every command.</summary>
    string? Group { get; }

    /// <summary>False if the help of the command leaves it out, because another command explains it.</summary>
    bool Listed { get; }
}

/// <summary>
/// An option with its help, default and range. Numbers have a decimal point and no thousands separators in every locale;
/// System.CommandLine alone reads 1,5 as 15. An enumeration's members are written in lower case; the first is the default.
/// </summary>
internal sealed class CliOption<T> : Option<T>, IHelpOption
{
    private static readonly Type Kind = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
    private (double Low, double High) range = (double.NegativeInfinity, double.PositiveInfinity);

    public CliOption(string name, string description, string? helpName = null)
        : base(name)
    {
        Description = description;
        HelpName = helpName;
        if (Kind.IsEnum)
        {
#pragma warning disable CA1308 // Options are written in lower case.
            string[] members = [.. Enum.GetNames(Kind).Select(member => member.ToLowerInvariant())];
#pragma warning restore CA1308
            HelpName = string.Join('|', members);
            DefaultValueFactory = _ => default!;
            CompletionSources.Add(members);
            CustomParser = result => Parse(
                result,
                text => members.Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse(Kind, text, ignoreCase: true) : null,
                string.Join(" or ", members));
        }
        else if (Type.GetTypeCode(Kind) is >= TypeCode.SByte and <= TypeCode.Decimal)
        {
            bool whole = Kind == typeof(int) || Kind == typeof(long);
            HelpName ??= whole ? "N" : "X";
            CustomParser = result => Parse(result, ParseNumber, whole
                ? "a whole number, e.g. 10000, without thousands separators"
                : "a number with a decimal point, e.g. 0.05 or 1e-3, without thousands separators");
        }
    }

    /// <inheritdoc/>
    public string? Group { get; set; }

    /// <inheritdoc/>
    public bool Listed { get; init; } = true;

    /// <summary>The value without the option.</summary>
    public T Default
    {
        init => DefaultValueFactory = _ => value;
    }

    /// <summary>The smallest number accepted.</summary>
    public double Min
    {
        init => range.Low = value;
    }

    /// <summary>The smallest and the largest number accepted.</summary>
    public (double Low, double High) Range
    {
        init => range = value;
    }

    /// <summary>Accepts only these texts, and shows them in the help.</summary>
    public void AcceptNames(IEnumerable<string> names)
    {
        HelpName = string.Join('|', names);
        this.AcceptOnlyFromAmong([.. names]);
    }

    private static object? ParseNumber(string text)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        return Type.GetTypeCode(Kind) switch
        {
            TypeCode.Int32 => int.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out int value) ? value : null,
            TypeCode.Int64 => long.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out long value) ? value : null,
            TypeCode.Single => float.TryParse(text, NumberStyles.Float, invariant, out float value) && float.IsFinite(value) ? value : null,
            _ => double.TryParse(text, NumberStyles.Float, invariant, out double value) && double.IsFinite(value) ? value : null,
        };
    }

    private T? Parse(ArgumentResult result, Func<string, object?> parse, string expected)
    {
        string text = result.Tokens[0].Value;
        object? value = parse(text);
        if (value is not null and not Enum && Convert.ToDouble(value, CultureInfo.InvariantCulture) is double number
            && (number < range.Low || number > range.High))
        {
            value = null;
            expected = double.IsPositiveInfinity(range.High) ? $"{range.Low} or more" : $"{range.Low} to {range.High}";
        }

        if (value is null)
        {
            result.AddError($"{Name} {text}: expected {expected}.");
        }

        return value is null ? default : (T)value;
    }
}
