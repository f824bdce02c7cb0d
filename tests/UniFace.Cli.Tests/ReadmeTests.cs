using System.Text.RegularExpressions;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests;

/// <summary>Every command in the README works, in order, in an empty folder.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("uniface-readme-");

    [Fact]
    public void Every_command_of_the_readme_runs()
    {
        List<string> commands = [.. CommandsOf(File.ReadAllText(Path.Combine(Checkout.Root, "README.md")))];
        Assert.True(commands.Count >= 8, "README.md lost its commands");
        foreach (string command in commands)
        {
            CliResult result = CliProcess.RunIn(folder.FullName, command.Split(' ', StringSplitOptions.RemoveEmptyEntries));

            // After one epoch a model may give a wrong answer (1), and a machine may lack an optional part (1 from doctor).
            bool mayBeNegative = command == "doctor"
                || command.StartsWith("verify", StringComparison.Ordinal) || command.StartsWith("gallery identify", StringComparison.Ordinal);
            int worst = mayBeNegative ? 1 : 0;
            Assert.True(result.ExitCode >= 0 && result.ExitCode <= worst, $"'uniface {command}' ended with {result.ExitCode}\n{result.Error}\n{result.Out}");
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>The commands of the README's sh blocks, with one epoch, and without the demo, which has its own test.</summary>
    private static IEnumerable<string> CommandsOf(string readme) =>
        from Match block in ShellBlock().Matches(readme)
        from string line in block.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        where line.StartsWith("./uniface ", StringComparison.Ordinal) && line != "./uniface demo"
        select Epochs().Replace(line["./uniface ".Length..], "--epochs 1");

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex(@"--epochs \d+")]
    private static partial Regex Epochs();
}
