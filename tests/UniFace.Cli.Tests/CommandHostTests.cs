namespace UniFace.Cli.Tests;

public class CommandHostTests
{
    [Fact]
    public void An_unknown_command_is_one_line_and_exit_code_2()
    {
        CliResult result = CliProcess.Run("no-such-command").Expect(2);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Help_lists_the_commands() => Assert.Contains("--json", CliProcess.Run("--help").Expect(0).Out, StringComparison.Ordinal);
}
