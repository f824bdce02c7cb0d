using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace UniFace.Cli;

/// <summary>
/// How every number of the command line is read: a decimal point, no thousands separators, whatever the machine's language.
/// The library's own conversion takes 1,5 for 15.
/// </summary>
internal static class NumberParsing
{
    /// <summary>Gives all numeric options and arguments of a command and of those below it this one parser.</summary>
    public static void ApplyTo(Command command)
    {
        foreach (Option option in command.Options)
        {
            switch (option)
            {
                case Option<int> o: o.CustomParser = Whole<int>; break;
                case Option<int?> o: o.CustomParser = result => Whole<int>(result); break;
                case Option<long> o: o.CustomParser = Whole<long>; break;
                case Option<float> o: o.CustomParser = Real<float>; break;
                case Option<float?> o: o.CustomParser = result => Real<float>(result); break;
                case Option<double> o: o.CustomParser = Real<double>; break;
                case Option<double?> o: o.CustomParser = result => Real<double>(result); break;
                default:
                    if (IsNumeric(option.ValueType))
                    {
                        throw new InvalidOperationException($"{option.Name}: no parser for {option.ValueType}.");
                    }

                    break;
            }
        }

        foreach (Command child in command.Subcommands)
        {
            ApplyTo(child);
        }
    }

    /// <summary>Whether values of a type are numbers, or may be.</summary>
    public static bool IsNumeric(Type type)
    {
        Type value = Nullable.GetUnderlyingType(type) ?? type.GetElementType() ?? type;
        return !value.IsEnum && Type.GetTypeCode(value) is >= TypeCode.SByte and <= TypeCode.Decimal;
    }

    private static T Whole<T>(ArgumentResult result)
        where T : struct, INumber<T> =>
        Parse<T>(result, NumberStyles.AllowLeadingSign, "expected a whole number, e.g. 10000, without thousands separators");

    private static T Real<T>(ArgumentResult result)
        where T : struct, INumber<T> =>
        Parse<T>(result, NumberStyles.Float, "expected a number with a decimal point, e.g. 0.05 or 1e-3, without thousands separators");

    private static T Parse<T>(ArgumentResult result, NumberStyles styles, string expected)
        where T : struct, INumber<T>
    {
        string text = result.Tokens[0].Value;
        if (T.TryParse(text, styles, CultureInfo.InvariantCulture, out T value) && T.IsFinite(value))
        {
            return value;
        }

        result.AddError($"{(result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name} {text}: {expected}.");
        return default;
    }
}
