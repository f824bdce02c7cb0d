using System.CommandLine;
using UniFace.Training.Losses;

namespace UniFace.Cli.Tests.Terminal;

/// <summary>The help of a command fits on a few screens, names what is required, and leaves no option unexplained.</summary>
public class HelpPageTests
{
    [Theory]
    [InlineData("train")]
    [InlineData("finetune")]
    public void Help_of_training_is_shorter_than_100_lines_and_in_groups(string name)
    {
        string help = Write(name, 120);
        Assert.InRange(help.Count(c => c == '\n'), 40, 99);
        Assert.All(
            (string[])["Run:", "Loss:", "Network:", "Optimization:", "Data:", "Validation:", "Teacher:", "Options:"],
            group => Assert.Contains($"\n{group}\n", help, StringComparison.Ordinal));
        Assert.All(help.Split('\n').Where(line => !line.StartsWith("Example:", StringComparison.Ordinal)), line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public void Every_option_of_training_is_in_its_help_or_in_the_list_of_a_loss()
    {
        string help = Write("train", 120);
        string losses = string.Concat(LossRegistry.All.Select(loss => CliProcess.Run("loss", "list", loss.Name).Expect(0).Out));
        foreach (Option option in Find("train").Options)
        {
            bool listed = losses.Contains($"{option.Name} ", StringComparison.Ordinal);
            Assert.True(listed || help.Contains(option.Name, StringComparison.Ordinal), $"{option.Name} is in neither");
        }
    }

    /// <summary>A fine-tuning has defaults of its own, and the network and the start weights of its model: these options are not listed.</summary>
    [Fact]
    public void Help_of_finetune_shows_its_own_defaults_and_no_option_that_it_does_not_use()
    {
        string help = Write("finetune", int.MaxValue), train = Write("train", int.MaxValue);
        foreach ((string option, string own, string trains) in new[]
        {
            ("epochs", "5", "20"), ("batch", "32", "64"), ("lr", "0.003", "0.1"), ("schedule", "cosine", "poly"), ("warmup", "0.5", ""),
            ("teacher-cosine", "0", "10"), ("precision", "float32", "float32"),
        })
        {
            Assert.Matches($@"\n  --{option} .*\[default: {own}\]\n", help);
            Assert.Matches(trains.Length > 0 ? $@"\n  --{option} .*\[default: {trains}\]\n" : "Default: 2, but at most a sixth", train);
        }

        Assert.All(
            (string[])["--backbone ", "--width ", "--embedding-size ", "--teacher-start "],
            option => Assert.True(!help.Contains(option, StringComparison.Ordinal) && train.Contains(option, StringComparison.Ordinal), option));
    }

    [Fact]
    public void Required_options_are_marked()
    {
        Assert.Contains("--out <RUN>", Usage(Write("finetune", 120)), StringComparison.Ordinal);
        Assert.Matches(@"--out <RUN> +\(required\) ", Write("finetune", 120));
        Assert.Matches(@"--out <RUN> +\(required without --resume\) ", Write("train", 120));
        Assert.Matches(@"<DATA> +\(required without --resume\) ", Write("train", 120));

        static string Usage(string help) => help.Split('\n').Single(line => line.StartsWith("Usage: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_has_a_help_page_with_all_its_arguments_and_commands()
    {
        RootCommand root = CommandHost.Root();
        Walk(root);

        static void Walk(Command command)
        {
            StringWriter page = new();
            CommandLine.HelpPage.Write(command, command.Name, page, 100);
            Assert.All(command.Arguments, argument => Assert.Contains($"<{argument.HelpName ?? argument.Name}>", page.ToString(), StringComparison.Ordinal));
            Assert.All(command.Subcommands, child => Assert.Contains($"\n  {child.Name}", page.ToString(), StringComparison.Ordinal));
            Assert.DoesNotContain("/?", page.ToString(), StringComparison.Ordinal);
            foreach (Command child in command.Subcommands)
            {
                Walk(child);
            }
        }
    }

    private static Command Find(string name) => CommandHost.Root().Subcommands.Single(command => command.Name == name);

    private static string Write(string name, int width)
    {
        StringWriter page = new() { NewLine = "\n" };
        CommandLine.HelpPage.Write(Find(name), "uniface " + name, page, width);
        return page.ToString();
    }
}
