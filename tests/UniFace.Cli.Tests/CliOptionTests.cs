using System.CommandLine;

namespace UniFace.Cli.Tests;

/// <summary>A number on the command line is read exactly as written: a comma is neither a decimal point nor a thousands separator.</summary>
public class CliOptionTests
{
    [Fact]
    public void Every_numeric_option_refuses_commas_and_text()
    {
        RootCommand root = CommandHost.Root();
        int tried = 0;
        Walk(root, []);
        Assert.True(tried > 60, $"only {tried} numeric options were found");

        void Walk(Command command, string[] path)
        {
            Assert.DoesNotContain(command.Arguments, argument => IsNumeric(argument.ValueType));
            foreach (Option option in command.Options.Where(option => IsNumeric(option.ValueType)))
            {
                foreach (string text in (string[])["1,5", "1,000", "1,5e-3", "0,05", "1.000,5", "nan", "Infinity", "", "1 000", "١"])
                {
                    ParseResult parsed = root.Parse([.. path, option.Name, text]);
                    Assert.True(
                        parsed.Errors.Any(error => error.Message.StartsWith($"{option.Name} {text}: expected a ", StringComparison.Ordinal)),
                        $"{string.Join(' ', path)} {option.Name} {text}: {string.Join(" | ", parsed.Errors.Select(error => error.Message))}");
                }

                Assert.DoesNotContain(
                    root.Parse([.. path, option.Name, "1"]).Errors,
                    error =>
                        error.Message.StartsWith(option.Name, StringComparison.Ordinal) && error.Message.Contains("expected a ", StringComparison.Ordinal));
                tried++;
            }

            foreach (Command child in command.Subcommands)
            {
                Walk(child, [.. path, child.Name]);
            }
        }

        static bool IsNumeric(Type type)
        {
            Type value = Nullable.GetUnderlyingType(type) ?? type.GetElementType() ?? type;
            return !value.IsEnum && Type.GetTypeCode(value) is >= TypeCode.SByte and <= TypeCode.Decimal;
        }
    }

    [Theory]
    [InlineData("bench embed p --batch 0", "--batch 0: expected 1 to 4096.")]
    [InlineData("bench embed p --batch 4097", "--batch 4097: expected 1 to 4096.")]
    [InlineData("align p o --min-face -1", "--min-face -1: expected 0 or more.")]
    [InlineData("align p o --min-score 1.5", "--min-score 1.5: expected 0 to 1.")]
    public void Number_out_of_range_is_refused_with_the_range(string line, string expected) =>
        Assert.Contains(expected, CommandHost.Root().Parse(line.Split(' ')).Errors.Select(error => error.Message));

    [Theory]
    [InlineData("align p o --faces x", "--faces x: expected largest or all.")]
    [InlineData("align p o --faces 0", "--faces 0: expected largest or all.")]
    [InlineData("train d --optimizer lion", "--optimizer lion: expected sgd or adamw.")]
    [InlineData("bench step --precision int8", "--precision int8: expected float32 or bfloat16 or float16.")]
    public void Unknown_member_of_an_enumeration_is_refused_with_the_members(string line, string expected) =>
        Assert.Equal([expected], CommandHost.Root().Parse(line.Split(' ')).Errors.Select(error => error.Message));

    [Theory]
    [InlineData("-0.5", -0.5)]
    [InlineData("1e-3", 0.001)]
    [InlineData("2", 2)]
    [InlineData(".5", 0.5)]
    public void Decimal_point_and_exponent_are_read_as_written(string text, double expected)
    {
        RootCommand root = CommandHost.Root();
        Option<double?> fmr = (Option<double?>)root.Subcommands.Single(c => c.Name == "verify").Options.Single(o => o.Name == "--threshold");
        Assert.Equal(expected, root.Parse(["verify", "a", "b", "--threshold", text]).GetValue(fmr));
    }

    [Fact]
    public void Number_with_a_comma_prints_the_expected_format_and_exits_with_2()
    {
        CliResult result = CliProcess.Run("verify", "a.jpg", "b.jpg", "--fmr", "1,5e-3").Expect(2);
        Assert.Equal(
            "error: --fmr 1,5e-3: expected a number with a decimal point, e.g. 0.05 or 1e-3, without thousands separators. See 'uniface verify --help'.",
            result.Error.Trim());
        Assert.Contains("--steps 1,5: expected a whole number", CliProcess.Run("bench", "step", "--steps", "1,5").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("--classes", CliProcess.Run("bench", "head", "--classes", "10,000", "--loss", "uce").Expect(2).Error, StringComparison.Ordinal);
    }
}
