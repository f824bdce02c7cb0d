using System.Diagnostics;
using System.Text.Json;
using UniFace.CommandLine.Terminal;

namespace UniFace.Cli.Tests.Terminal;

/// <summary>Errors are JSON under --json; progress is a bar on a terminal and plain lines in a pipe; tables show hashes whole.</summary>
public sealed class TerminalOutputTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("verify", "no.jpg", "no.jpg", "--threshold", "0.5")] // Found by the command.
    [InlineData("verify", "a.jpg", "--fmr", "x")] // Found by the parser.
    [InlineData("gallery", "list", "no.gallery")]
    [InlineData("train")]
    [InlineData("no-such-command")]
    public void Error_is_one_json_object_on_standard_output_and_a_line_on_standard_error(params string[] args)
    {
        CliResult result = CliProcess.Run([.. args, "--json"]).Expect(2);
        string line = Assert.Single(result.Error.TrimEnd().Split('\n'));
        JsonProperty only = Assert.Single(result.Json().EnumerateObject());
        Assert.Equal("error", only.Name);
        Assert.Equal(line["error: ".Length..], only.Value.GetString());
        Assert.Equal("", CliProcess.Run(args).Expect(2).Out);
    }

    [Fact]
    public void Json_shows_quotation_marks_and_letters_as_they_are()
    {
        CliResult result = CliProcess.Run("gallery", "list", "Ann's <Müller>.gallery", "--json").Expect(2);
        Assert.Contains("Ann's <Müller>.gallery", result.Out, StringComparison.Ordinal);
        Assert.Contains("Ann's <Müller>.gallery", result.Json().GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_arguments_and_options_are_reported_together_in_the_order_of_the_command()
    {
        string error = CliProcess.Run("train").Expect(2).Error;
        Assert.Matches("^error: DATA is missing: .*; --out is missing: .*", error);
        string[] missing = ["PACKAGE", "DATA", "--out"];
        string finetune = CliProcess.Run("finetune").Expect(2).Error;
        int[] at = [.. missing.Select(word => finetune.IndexOf(word, StringComparison.Ordinal))];
        Assert.DoesNotContain(-1, at);
    }

    [Theory]
    [InlineData(0, "reading ▕                        ▏   0 %  0/8 images")]
    [InlineData(0.5, "reading ▕━━━━━━━━━━━━            ▏  50 %  0/8 images")]
    [InlineData(0.52, "reading ▕━━━━━━━━━━━━            ▏  52 %  0/8 images")]
    [InlineData(0.53, "reading ▕━━━━━━━━━━━━╸           ▏  53 %  0/8 images")]
    [InlineData(1, "reading ▕━━━━━━━━━━━━━━━━━━━━━━━━▏ 100 %  0/8 images")]
    [InlineData(double.NaN, "reading ▕                        ▏   0 %  0/8 images")]
    [InlineData(7, "reading ▕━━━━━━━━━━━━━━━━━━━━━━━━▏ 100 %  0/8 images")]
    public void Progress_bar_shows_the_share(double share, string expected) =>
        Assert.Equal(expected, ProgressBar.Format("reading", share, "0/8 images", 80, unicode: true));

    [Fact]
    public void Progress_bar_fits_the_terminal_and_its_characters()
    {
        Assert.Equal(30, ProgressBar.Format("reading", 0.5, "8 images/s, 00:00:10 left", 30, unicode: true).Length);
        Assert.Equal(
            "reading [############............]  50 %  8 images/s", ProgressBar.Format("reading", 0.5, "8 images/s", 80, unicode: false));
    }

    [Fact]
    public void Terminal_shows_a_bar_and_whole_hashes_and_a_pipe_plain_lines()
    {
        Assert.SkipWhen(!File.Exists("/usr/bin/script"), "needs script(1) for a terminal");
        CliProcess.RunIn(folder, "data", "make", "photos", "--people", "2", "--images", "2", "--photos").Expect(0);
        string align = "align photos aligned --detector no-such-detector";
        Assert.DoesNotContain('\u001b', CliProcess.RunIn(folder, align.Split(' ')).Error);

        string terminal = InTerminal(100, "data make more --people 20 --images 6");
        Assert.Contains("▕", terminal, StringComparison.Ordinal);
        Assert.Contains(" images/s", terminal, StringComparison.Ordinal);
        string piped = CliProcess.RunIn(folder, "data", "make", "again", "--people", "20", "--images", "6").Expect(0).Error;
        Assert.DoesNotContain("▕", piped, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', piped);

        string models = InTerminal(60, "models list");
        Assert.All(UniFace.Vision.Models.ModelCatalogue.All, model => Assert.Contains(model.Sha256, models, StringComparison.Ordinal));
    }

    /// <summary>What a terminal of some columns shows.</summary>
    private string InTerminal(int columns, string arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll");
        ProcessStartInfo info = new("/usr/bin/script") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardInput = true };
        info.Environment["TERM"] = "xterm";
        info.Environment["LANG"] = "C.UTF-8";
        foreach (string argument in (string[])["-qec", $"stty cols {columns} rows 40; dotnet '{program}' {arguments}", "/dev/null"])
        {
            info.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(info)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        return output;
    }
}
