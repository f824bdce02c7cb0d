using System.Diagnostics;

namespace UniFace.Cli.Tests;

/// <summary>An invalid command line gets one line that names every error and the nearest known word; shells can complete valid ones.</summary>
public sealed class CommandHostTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Unknown_command_prints_one_line_and_exits_with_2()
    {
        CliResult result = CliProcess.Run("no-such-command").Expect(2);
        Assert.Equal("error: 'no-such-command' is not a command of uniface. See 'uniface --help'.", result.Error.Trim());
    }

    [Theory]
    [InlineData("error: 'trian' is not a command of uniface; did you mean 'train'? See 'uniface --help'.", "trian")]
    [InlineData("error: 'enrol' is not a command of uniface gallery; did you mean 'enroll'? See 'uniface gallery --help'.", "gallery", "enrol")]
    [InlineData("error: '--fmrr' is not an option of uniface verify; did you mean '--fmr'? See 'uniface verify --help'.", "verify", "a", "b", "--fmrr=1")]
    [InlineData(
        "error: '--strct' is not an option of uniface gallery identify; did you mean '--strict'? See 'uniface gallery identify --help'.",
        "gallery", "identify", "g", "--strct")]
    [InlineData("error: '--jsn' is not an option of uniface doctor; did you mean '--json'? See 'uniface doctor --help'.", "doctor", "--jsn")]
    public void Mistyped_word_is_reported_with_the_nearest_known_word(string expected, params string[] args) =>
        Assert.Equal(expected, CliProcess.Run(args).Expect(2).Error.Trim());

    [Fact]
    public void All_errors_of_a_command_line_are_on_one_line()
    {
        string error = CliProcess.Run("verify", "a.jpg", "--fmr", "x", "--threshold", "1,5").Expect(2).Error;
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains("--fmr x: expected", error, StringComparison.Ordinal);
        Assert.Contains("--threshold 1,5: expected", error, StringComparison.Ordinal);
        Assert.Contains("argument", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Value_that_begins_with_an_at_sign_is_not_a_response_file()
    {
        File.WriteAllText(Path.Combine(folder, "pair"), "a.jpg\nb.jpg");
        Assert.Contains("Required argument", CliProcess.RunIn(folder, "verify", "@pair").Expect(2).Error, StringComparison.Ordinal);
        CliResult enrolled = CliProcess.RunIn(folder, "gallery", "enroll", "no.gallery", ".", "--person", "@nowhere").Expect(2);
        Assert.Contains("no.gallery: no such gallery", enrolled.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_uses_the_command_name_and_lists_the_commands()
    {
        string help = CliProcess.Run("--help").Expect(0).Out;
        Assert.Contains("--json", help, StringComparison.Ordinal);
        Assert.Contains("uniface [command]", help, StringComparison.Ordinal);
        Assert.DoesNotContain("UniFace.Cli", help, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("uniface tr", "train")]
    [InlineData("./uniface gallery en", "enroll")]
    [InlineData("uniface verify --thr", "--threshold")]
    [InlineData("uniface train data --schedule st", "step")]
    public void The_suggest_directive_completes_commands_options_and_values(string line, string expected) =>
        Assert.Contains(expected, CliProcess.Run($"[suggest:{line.Length}]", line).Expect(0).Out.Split('\n', StringSplitOptions.TrimEntries));

    [Theory]
    [InlineData("uniface tr", "train")]
    [InlineData("uniface verify --thresh", "--threshold")]
    [InlineData("uniface gallery id", "identify")]
    [InlineData("uniface align ph", "")]
    public async Task Bash_script_completes_commands_and_options(string line, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || !File.Exists("/bin/bash"), "needs bash");
        string program = Path.Combine(folder, "uniface"), script = Path.Combine(folder, "completion.bash");
        File.WriteAllText(program, $"#!/bin/bash\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll")}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        File.WriteAllText(script, CliProcess.Run("completion", "bash").Expect(0).Out);
        ProcessStartInfo info = new("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add(
            $"PATH='{folder}':$PATH; source '{script}'; complete -p uniface >&2; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=($COMP_LINE); " +
            "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _uniface; printf '%s\\n' \"${COMPREPLY[@]}\"");
        using Process bash = Process.Start(info)!;
        Task<string> error = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("-F _uniface uniface", await error, StringComparison.Ordinal);
        Assert.Equal(expected, output.Trim());
    }

    [Fact]
    public void Table_in_a_pipe_is_neither_cut_nor_wrapped()
    {
        string output = CliProcess.Run("models", "list").Expect(0).Out;
        Assert.All(UniFace.Vision.Models.ModelCatalogue.All, model => Assert.Contains(model.Sha256, output, StringComparison.Ordinal));
        Assert.All(UniFace.Vision.Models.ModelCatalogue.All, model => Assert.Contains(model.Licence, output, StringComparison.Ordinal));
    }

    [Fact]
    public void Completion_has_a_script_for_every_supported_shell_and_refuses_others()
    {
        Assert.StartsWith("#compdef uniface", CliProcess.Run("completion", "zsh").Expect(0).Out, StringComparison.Ordinal);
        Assert.StartsWith("Register-ArgumentCompleter", CliProcess.Run("completion", "pwsh").Expect(0).Out, StringComparison.Ordinal);
        Assert.Contains("'bash'", CliProcess.Run("completion", "fish").Expect(2).Error, StringComparison.Ordinal);
    }
}
