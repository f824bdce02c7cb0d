using System.Text.Json;
using UniFace.TestSupport;

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

    /// <summary>Two processes take the step of one process on both batches, with half of the centers each; only the first prints.</summary>
    [Fact]
    public void Bench_step_of_two_processes_is_one_step_of_both_batches()
    {
        Mpiexec.Require();
        const int Classes = 101, Batch = 3, Size = 512;
        string[] options = ["--backbone", "mobilefacenet", "--width", "0.25", "--steps", "1", "--classes", $"{Classes}", "--loss", "uce", "--json"];
        string[] program = ["dotnet", Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll")];
        (int code, string output, string error) = Mpiexec.Finish(Mpiexec.Start(
            Environment.CurrentDirectory, 2, null, [.. program, "bench", "step", "--batch", $"{Batch}", .. options]));
        Assert.True(code == 0, error);
        JsonElement two = JsonDocument.Parse(output).RootElement;
        Assert.Equal((2, Batch, 2 * Batch), (Number(two, "ranks"), Number(two, "batch"), Number(two, "globalBatch")));
        Assert.Equal((Classes, "uce"), (Number(two, "classes"), two.GetProperty("loss").GetString()));
        Assert.Equal(Math.Max(Environment.ProcessorCount / 2, 1), Number(two, "threads"));
        double step = two.GetProperty("stepMs").GetDouble();
        Assert.Equal(step, two.GetProperty("fastestStepMs").GetDouble()); // Of one step.
        Assert.Equal(2 * Batch * 1000 / step, two.GetProperty("trainImagesPerSecond").GetDouble(), 1e-6);
        Assert.All(new[] { "forward", "head", "backward", "reduce", "optimizer" }, phase => Assert.InRange(
            two.GetProperty("phaseMs").GetProperty(phase).GetDouble(), 1e-6, step));

        // Rank 0 has the smaller shard: floor(C / 2) rows and their momentum.
        Assert.Equal(Classes / 2 * Size * 8 / 1e6, two.GetProperty("centersMb").GetDouble(), 1e-9);
        JsonElement traffic = two.GetProperty("traffic");
        Assert.Equal((2, (Batch * Size * 4) + ((2 * Batch) + 2) * (Size + 2) * 4), Calls(traffic.GetProperty("head")));
        Assert.InRange(Calls(traffic.GetProperty("backbone")).Item1, 1, 10);
        Assert.Equal((0, 0), Calls(traffic.GetProperty("other")));
        JsonElement one = CliProcess.Run(["bench", "step", "--batch", $"{2 * Batch}", .. options]).Expect(0).Json();
        Assert.Equal((1, 2 * Batch), (Number(one, "ranks"), Number(one, "globalBatch")));
        Assert.Equal(Classes * Size * 8 / 1e6, one.GetProperty("centersMb").GetDouble(), 1e-9);

        static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();
        static (int Calls, int Bytes) Calls(JsonElement json) => (Number(json, "calls"), Number(json, "bytes"));
    }

    [Fact]
    public void Bench_data_prints_every_documented_field()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "faces");
        try
        {
            CliProcess.Run("data", "make", folder, "--people", "4", "--images", "8").Expect(0);
            JsonElement speed = CliProcess.Run("bench", "data", folder, "--batch", "8", "--seconds", "0.2", "--json").Expect(0).Json();
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
    [InlineData("step", "--loss", "triplet")]
    [InlineData("step", "--classes", "2")]
    [InlineData("step", "--classes", "100000000")]
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
