using System.CommandLine.Parsing;

namespace UniFace.Cli.Terminal;

/// <summary>
/// An option with its help, default and range. Numbers have a decimal point and no thousands separators in every locale;
/// System.CommandLine alone reads 1,5 as 15.
/// </summary>
internal sealed class CliOption<T> : Option<T>
{
    private static readonly TypeCode Number = Type.GetTypeCode(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T));
    private static readonly bool IsWhole = Number is TypeCode.Int32 or TypeCode.Int64;
    private (double Low, double High) range = (double.NegativeInfinity, double.PositiveInfinity);

    public CliOption(string name, string description, string? helpName = null)
        : base(name)
    {
        Description = description;
        HelpName = helpName;
        if (!typeof(T).IsEnum && Number is >= TypeCode.SByte and <= TypeCode.Decimal)
        {
            HelpName ??= IsWhole ? "N" : "X";
            CustomParser = ParseNumber;
        }
    }

    /// <summary>The value without the option.</summary>
    public T Default
    {
        init => DefaultValueFactory = _ => value;
    }

    /// <summary>The smallest and the largest number accepted; an infinite end is open.</summary>
    public (double Low, double High) Range
    {
        init => range = value;
    }

    private T? ParseNumber(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        const NumberStyles Integer = NumberStyles.AllowLeadingSign;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        object? number = Number switch
        {
            TypeCode.Int32 => int.TryParse(text, Integer, invariant, out int value) ? value : null,
            TypeCode.Int64 => long.TryParse(text, Integer, invariant, out long value) ? value : null,
            TypeCode.Single => float.TryParse(text, NumberStyles.Float, invariant, out float value) && float.IsFinite(value) ? value : null,
            TypeCode.Double => double.TryParse(text, NumberStyles.Float, invariant, out double value) && double.IsFinite(value) ? value : null,
            _ => throw new InvalidOperationException($"{Name}: no parser for {typeof(T)}."),
        };
        string expected = number is null
            ? IsWhole
                ? "a whole number, e.g. 10000, without thousands separators"
                : "a number with a decimal point, e.g. 0.05 or 1e-3, without thousands separators"
            : double.IsPositiveInfinity(range.High) ? $"{range.Low} or more" : $"{range.Low} to {range.High}";
        if (number is not null && Convert.ToDouble(number, invariant) is double given && given >= range.Low && given <= range.High)
        {
            return (T)number;
        }

        result.AddError($"{Name} {text}: expected {expected}.");
        return default;
    }
}
