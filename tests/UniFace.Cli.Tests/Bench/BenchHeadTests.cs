using System.Text.Json;

namespace UniFace.Cli.Tests.Bench;

/// <summary>bench head measures each loss at each size with the given storage.</summary>
public class BenchHeadTests
{
    [Fact]
    public void Bench_head_prints_every_documented_field_for_each_loss_and_size()
    {
        CliResult result = CliProcess.Run(
            "bench", "head", "--classes", "300,5000", "--loss", "uce,arcface(margin=0.4,scale=32)", "--batch", "16", "--sample-rate", "0.5",
            "--center-dtype", "bfloat16", "--json");
        Assert.Equal(0, result.ExitCode);
        JsonElement[] rows = [.. JsonDocument.Parse(result.Out).RootElement.EnumerateArray()];
        Assert.Equal(
            ["uce 300", "uce 5000", "arcface 300", "arcface 5000"],
            rows.Select(r => $"{r.GetProperty("loss").GetString()} {r.GetProperty("classes").GetInt32()}"));
        foreach (JsonElement row in rows)
        {
            Assert.Equal(
                (16, 512, 0.5, "bfloat16"),
                (row.GetProperty("batch").GetInt32(), row.GetProperty("dim").GetInt32(), row.GetProperty("sampleRate").GetDouble(),
                 row.GetProperty("centerDtype").GetString()));
            Assert.True(row.GetProperty("stepMs").GetDouble() > 0);
            Assert.True(row.GetProperty("gemmMs").GetDouble() > 0);
            Assert.True(row.GetProperty("extraMb").GetDouble() >= 0);
            Assert.Equal(row.GetProperty("classes").GetInt32() * 512 * 2 * 2 / 1e6, row.GetProperty("centersMb").GetDouble(), 1e-6);
        }
    }

    [Theory]
    [InlineData("--classes", "many", "'many' is not a number from 3")]
    [InlineData("--sample-rate", "2", "expected a share above 0, up to 1, or auto")]
    [InlineData("--loss", "softmux", "there is no loss 'softmux'")]
    [InlineData("--threads", "0", "--threads 0: expected 1 to 4096")]
    [InlineData("--classes", "90000000", "use fewer classes")]
    public void Invalid_bench_head_option_prints_one_line_and_exits_with_2(string option, string value, string message)
    {
        Assert.SkipWhen(value == "90000000" && GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > 360e9, "so many classes fit into memory");
        CliResult result = CliProcess.Run("bench", "head", option, value, "--center-dtype", "float32");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }
}
