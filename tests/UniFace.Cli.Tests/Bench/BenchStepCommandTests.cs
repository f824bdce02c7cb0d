using System.Text.Json;

namespace UniFace.Cli.Tests.Bench;

/// <summary>bench step measures training and inference of the given backbone.</summary>
public class BenchStepCommandTests
{
    [Fact]
    public void Bench_step_prints_every_documented_field()
    {
        JsonElement speed = CliProcess.Run(
            "bench", "step", "--backbone", "mobilefacenet", "--width", "0.25", "--batch", "2", "--threads", "1", "--steps", "1", "--json").Expect(0).Json();
        Assert.Equal(
            ("mobilefacenet", 2, 1),
            (speed.GetProperty("backbone").GetString(), speed.GetProperty("batch").GetInt32(), speed.GetProperty("threads").GetInt32()));
        Assert.True(speed.GetProperty("trainImagesPerSecond").GetDouble() > 0);
        Assert.True(speed.GetProperty("inferImagesPerSecond").GetDouble() > 0);
    }

    [Fact]
    public void Bench_data_prints_every_documented_field()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "faces");
        try
        {
            CliProcess.Run("data", "make", folder, "--people", "4", "--images", "8").Expect(0);
            JsonElement speed = CliProcess.Run("bench", "data", folder, "--batch", "8", "--json").Expect(0).Json();
            Assert.True(speed.GetProperty("imagesPerSecond").GetDouble() > 0);
            Assert.True(speed.GetProperty("stepOverhead").GetDouble() > -1);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        }
    }

    [Theory]
    [InlineData("step", "--steps", "0")]
    [InlineData("step", "--backbone", "resnet")]
    [InlineData("data", "nowhere")]
    [InlineData("data", ".", "--augment=sparkle")]
    public void Bad_input_prints_one_line_and_exits_with_2(params string[] args)
    {
        CliResult result = CliProcess.Run(["bench", .. args]).Expect(2);
        Assert.Equal("", result.Out);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Trim().Split('\n'));
    }
}
