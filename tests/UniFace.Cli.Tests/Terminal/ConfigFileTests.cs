using System.CommandLine;
using UniFace.Training.Losses;

namespace UniFace.Cli.Tests.Terminal;

/// <summary>--config gives options as the command line would; the command line wins; every mistake is one line with file and line.</summary>
public sealed class ConfigFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    private string Config => Path.Combine(folder, "run.yaml");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Options_of_the_file_are_those_of_the_command_line()
    {
        ParseResult parsed = Parse(
            """
            # Comments, quotes, lists, mappings and flags.
            out: runs/first
            loss: arcface
            margin: 0.3
            sample-rate: 0.5     # another name of negative-rate
            steps: [8, 12]
            augment: { flip: 0.5, color: 0.2 }
            device: "cpu"
            json: true
            """,
            "train", "faces");
        Assert.Empty(parsed.Errors);
        Assert.Equal("runs/first", Value("--out"));
        Assert.Equal("arcface", Value("--loss"));
        Assert.Equal("0.3", Value("--margin"));
        Assert.Equal("0.5", Value("--negative-rate"));
        Assert.Equal("8,12", Value("--steps"));
        Assert.Equal("flip=0.5,color=0.2", Value("--augment"));
        Assert.True(parsed.GetValue<bool>("--json"));

        object? Value(string option) => parsed.GetValue<string?>(option);
    }

    [Fact]
    public void Command_line_wins_over_the_file()
    {
        ParseResult parsed = Parse("epochs: 3\nbatch: 16\n", "train", "faces", "--epochs", "7");
        Assert.Equal(7, parsed.GetValue<int>("--epochs"));
        Assert.Equal(16, parsed.GetValue<int>("--batch"));
    }

    [Fact]
    public void Flag_that_is_false_is_not_given() => Assert.False(IsGiven(Parse("require-key: false\nrate: 9\n", "serve"), "--require-key"));

    [Fact]
    public void Lists_of_options_that_take_several_values_are_lists()
    {
        ParseResult parsed = Parse("urls:\n  - http://127.0.0.1:1\n  - http://127.0.0.1:2\n", "serve");
        Assert.Equal(["http://127.0.0.1:1", "http://127.0.0.1:2"], parsed.GetValue<string[]>("--urls")!);
    }

    [Fact]
    public void Options_of_the_file_come_before_arguments_that_begin_with_a_dash() =>
        Assert.Equal(2, Parse("epochs: 2\n", "train", "--", "-faces").GetValue<int>("--epochs"));

    [Theory]
    [InlineData("epochs: 2\nembeding-size: 8\n", "line 2: 'embeding-size' is not an option of uniface train; did you mean 'embedding-size'?")]
    [InlineData("embedding_size: 8\n", "line 1: 'embedding_size' is not an option of uniface train; did you mean 'embedding-size'?")]
    [InlineData("--epochs: 8\n", "line 1: '--epochs' is not an option of uniface train; did you mean 'epochs'?")]
    [InlineData("nothing-like-it: 8\n", "line 1: 'nothing-like-it' is not an option of uniface train.")]
    [InlineData("config: other.yaml\n", "line 1: 'config' is not an option of uniface train.")]
    [InlineData("data: faces\n", "line 1: 'data' is not an option of uniface train; it is an argument: give it on the command line.")]
    [InlineData("epochs: 2\nbatch: 3\nepochs: 4\n", "line 3: not valid YAML")]
    [InlineData("negative-rate: 0.5\nsample-rate: 0.4\n", "line 2: 'sample-rate' is already given in line 1; give an option once.")]
    [InlineData("epochs:\n", "line 1: 'epochs': expected a value; leave the key out for the default.")]
    [InlineData("epochs: [[2]]\n", "line 1: 'epochs': expected a value, a list of values or NAME: VALUE.")]
    [InlineData("json: perhaps\n", "line 1: 'json': expected true or false.")]
    [InlineData("- epochs\n", "line 1: expected one list of lines like 'epochs: 20'.")]
    [InlineData("epochs: [2\n", "not valid YAML")]
    [InlineData("steps: [8, 12]\naugment: { flepochs: 20\nlr: [1\nx", "not valid YAML")]
    [InlineData("augment: { flip: 0.5, [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", "not valid YAML")]
    [InlineData("a: &a [*a]\n", "line 1: 'a' is not an option of uniface train")]
    [InlineData("lr: 1,5\n", "line 1: --lr 1,5: expected a number with a decimal point")]
    [InlineData("out: run\nbatch: 0\n", "line 2: --batch is 0")]
    [InlineData("out: run\naugment: { turn: 0.5 }\n", "line 2: --augment: there is no augmentation 'turn'")]
    [InlineData("out: run\nloss: arcface\nmargin: 99\n", "line 3: --margin: loss 'arcface'")]
    [InlineData("batch: 0\nresume: nowhere/to/be/found\n", "line 2: nowhere/to/be/found")]
    public void Mistake_in_the_file_is_one_line_that_names_it(string yaml, string expected)
    {
        File.WriteAllText(Config, yaml);
        string error = Assert.Single(CliProcess.Run("train", "faces", "--config", Config).Expect(2).Error.TrimEnd().Split('\n'));
        Assert.StartsWith($"error: {Config}, line ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_in_lists_are_refused_before_they_exhaust_the_stack()
    {
        File.WriteAllText(Config, "steps: " + new string('[', 500_000));
        Assert.Contains("line 1: not valid YAML", CliProcess.Run("train", "faces", "--config", Config).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_parser_itself_fails_on_is_not_valid_YAML()
    {
        // Found by fuzzing.
        const string Found = "epochs: 20\nsteps: [8, 12]\naugment: { fepochs: 20\nsteps: [8, 12]\naugm\u0015nt: { flip: 0.5, color: 0.2 }\nlr: 0.";
        Assert.Contains(
            "not valid YAML", Assert.Throws<UniFaceException>(() => Parse(Found, "train", "faces")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_is_named() =>
        Assert.StartsWith("error: --config no.yaml: no such file", CliProcess.Run("serve", "--config", "no.yaml").Expect(2).Error, StringComparison.Ordinal);

    [Fact]
    public void Help_and_completion_do_not_read_the_file()
    {
        Assert.Contains("--config <FILE>", CliProcess.Run("train", "--config", "no.yaml", "--help").Expect(0).Out, StringComparison.Ordinal);
        string line = "uniface train --config no.yaml --sched";
        Assert.Contains("--schedule", CliProcess.Run($"[suggest:{line.Length}]", line).Expect(0).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_option_of_training_can_be_in_the_file()
    {
        foreach (Option option in Root.Subcommands.Single(command => command.Name == "train").Options.Where(o => o.Name is not ("--config" or "--help")))
        {
            string value = option.ValueType == typeof(bool) ? "true" : option.GetCompletions(System.CommandLine.Completions.CompletionContext.Empty)
                .FirstOrDefault()?.Label ?? "1";
            Assert.True(IsGiven(Parse($"{option.Name[2..]}: {value}\n", "train", "faces"), option.Name), option.Name);
        }

        Assert.NotEmpty(LossRegistry.All);
    }

    private static RootCommand Root => CommandHost.Root();

    private static bool IsGiven(ParseResult parsed, string option) => parsed.GetResult(option) is System.CommandLine.Parsing.OptionResult { Implicit: false };

    private ParseResult Parse(string yaml, params string[] args)
    {
        File.WriteAllText(Config, yaml);
        RootCommand root = Root;
        int end = Array.IndexOf(args, "--") is int dashes and >= 0 ? dashes : args.Length;
        string[] given = [.. args[..end], "--config", Config, .. args[end..]];
        return root.Parse(CommandLine.ConfigFile.Read(root.Parse(given))!.AddTo(given));
    }
}
