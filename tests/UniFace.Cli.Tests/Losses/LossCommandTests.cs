using System.Globalization;
using System.Text.Json;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Losses;

/// <summary>loss check accepts the reference values and rejects others; loss list shows every loss.</summary>
public class LossCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-loss-").FullName;

    /// <summary>
    /// One embedding on its center at scale 2, another center orthogonal: the loss is ln(1 + e^-2), and with q = 1 / (1 + e^2) the
    /// gradients are q * s times a tangent of length 1 over a norm.
    /// </summary>
    private const double Q = 0.11920292202211755;

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Correct_case_passes_and_its_errors_are_reported()
    {
        JsonElement json = CliProcess.Run("loss", "check", Write(Case(Math.Log(1 + Math.Exp(-2)))), "--json").Expect(0).Json();
        Assert.Equal(1, json.GetProperty("cases").GetInt32());
        Assert.Equal(0, json.GetProperty("failed").GetInt32());
        Assert.InRange(json.GetProperty("maxError").GetProperty("float64").GetDouble(), 0, 1e-12);
        Assert.InRange(json.GetProperty("maxError").GetProperty("float32").GetDouble(), 0, 1e-4);
        JsonElement result = json.GetProperty("results")[0];
        Assert.Equal("normface", result.GetProperty("name").GetString());
        Assert.Equal(Math.Log(1 + Math.Exp(-2)), result.GetProperty("float64").GetProperty("loss").GetDouble(), 1e-12);
    }

    [Fact]
    public void Wrong_case_is_named_and_exits_with_1()
    {
        string file = Write(Case(Math.Log(1 + Math.Exp(-2))), Case(Math.Log(1 + Math.Exp(-2)) + 1e-7));
        JsonElement json = CliProcess.Run("loss", "check", file, "--json").Expect(1).Json();
        Assert.Equal(1, json.GetProperty("failed").GetInt32());
        Assert.Equal([true, false], json.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("passed").GetBoolean()));
        Assert.Equal(1e-7, json.GetProperty("maxError").GetProperty("float64").GetDouble(), 1e-10);
        Assert.Contains("1 of 2 cases match", CliProcess.Run("loss", "check", file).Expect(1).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"name\": \"normface\"", "\"name\": \"nosuchface\"", "case 1 (nosuchface): there is no loss 'nosuchface'")]
    [InlineData("\"loss\":", "\"lost\":", "case 1 (normface): field 'loss' is missing")]
    [InlineData("\"gradCenters\":", "\"gradOthers\":", "gradCenters [0, ]")]
    [InlineData("\"name\": \"normface\"", "\"name\": \"uce\"", "case 1 (uce): bias and gradBias must have 1 value")]
    [InlineData("\"s\": 2", "\"s\": -2", "case 1 (normface): loss 'normface': scale = -2 is not allowed; it takes above 0, up to 10000")]
    [InlineData("\"s\": 2", "\"q\": 2", "case 1 (normface): loss 'normface' has no hyperparameter 'q'")]
    [InlineData("\"labels\": [0]", "\"labels\": [7]", "case 1 (normface): label 7 is not one of 0 to 1")]
    [InlineData("\"labels\": [0]", "\"labels\": [0, 1]", "case 1 (normface): embeddings are [1, 2], centers [2, 2], labels [2]")]
    [InlineData("[3, 0]", "[3, \"x\"]", "could not be converted to System.Double. Path: $.embeddings[0][1]")]
    [InlineData("[0, 2]", "[2]", "case 1 (normface): embeddings are [1, 2], centers [2, 2 or 1]")]
    [InlineData("{", "", "is not a file of loss cases")]
    public void Invalid_case_file_prints_one_line_that_names_the_case(string right, string wrong, string message)
    {
        string file = Write(Case(1));
        string text = File.ReadAllText(file);
        int at = text.IndexOf(right, StringComparison.Ordinal);
        File.WriteAllText(file, text[..at] + wrong + text[(at + right.Length)..]);
        CliResult result = CliProcess.Run("loss", "check", file).Expect(2);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Missing_case_file_exits_with_2() => CliProcess.Run("loss", "check", Path.Combine(folder, "no.json")).Expect(2);

    [Fact]
    public void Loss_list_shows_all_losses_and_the_ranges_of_one()
    {
        JsonElement all = CliProcess.Run("loss", "list", "--json").Expect(0).Json();
        string[] names = [.. all.GetProperty("losses").EnumerateArray().Select(l => l.GetProperty("name").GetString()!)];
        Assert.Equal(
            "softmax normface sphereface cosface adacos arcface combined circle curricularface mv-am mv-arc subcenter-arcface magface adaface " +
            "elasticface-arc elasticface-cos sphereface-r sphereface2 bce uce",
            string.Join(' ', names));
        string text = CliProcess.Run("loss", "list", "arcface").Expect(0).Out;
        Assert.Contains("--margin", text, StringComparison.Ordinal);
        Assert.Contains("CVPR 2019", text, StringComparison.Ordinal);
        Assert.Contains("softmax, normface", CliProcess.Run("loss", "list", "nosuchface").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_golden_case_passes_loss_check()
    {
        JsonElement json = CliProcess.Run("loss", "check", SharedData.Require("golden/losses.json"), "--json").Expect(0).Json();
        Assert.InRange(json.GetProperty("cases").GetInt32(), 38, int.MaxValue);
        Assert.InRange(json.GetProperty("maxError").GetProperty("float64").GetDouble(), 0, 1e-9);
        Assert.InRange(json.GetProperty("maxError").GetProperty("float32").GetDouble(), 0, 1e-4);
    }

    private static string Case(double loss) => string.Create(CultureInfo.InvariantCulture, $$"""
        {"name": "normface", "params": {"s": 2}, "loss": {{loss}}, "gradEmbeddings": [[0, {{2 * Q / 3}}]], "gradCenters": [[0, 0], [{{Q}}, 0]]}
        """);

    private string Write(params string[] cases)
    {
        string file = Path.Combine(folder, "cases.json");
        File.WriteAllText(file, $$"""{"embeddings": [[3, 0]], "centers": [[1, 0], [0, 2]], "labels": [0], "cases": [{{string.Join(",", cases)}}]}""");
        return file;
    }
}
