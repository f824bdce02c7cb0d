using System.Diagnostics;
using System.Text.Json;

namespace UniFace.Cli.Tests;

/// <summary>`uniface train` as a program: killed for good, resumed, refused.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private static readonly string[] Recipe = ["--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "16", "--batch", "8", "--epochs", "3", "--checkpoint-every", "2", "--seed", "7"];
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-train-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_run_killed_at_random_moments_ends_with_the_bytes_of_one_that_never_stopped()
    {
        MakeFaces();
        Stopwatch clock = Stopwatch.StartNew();
        CliResult whole = CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--out", "whole", "--json"]).Expect(0);
        TimeSpan length = clock.Elapsed;
        JsonElement expected = whole.Json();
        Assert.Equal(3, expected.GetProperty("epochs").GetInt32());
        Assert.Equal(9, expected.GetProperty("steps").GetInt32());
        Assert.Equal(64, expected.GetProperty("sha256").GetString()!.Length);
        Assert.True(expected.GetProperty("imagesPerSecond").GetDouble() > 0);
        Assert.True(double.IsFinite(expected.GetProperty("loss").GetDouble()));
        Assert.EndsWith("whole", expected.GetProperty("run").GetString(), StringComparison.Ordinal);

        Random moments = new(Environment.TickCount);
        for (int kill = 0; kill < 3; kill++)
        {
            using Process process = CliProcess.Start(folder, GoOn());
            if (!process.WaitForExit(length * (0.3 + (0.6 * moments.NextDouble()))))
            {
                process.Kill();
                process.WaitForExit();
            }
        }

        JsonElement actual = CliProcess.RunIn(folder, GoOn()).Expect(0).Json();
        Assert.Equal(expected.GetProperty("sha256").GetString(), actual.GetProperty("sha256").GetString());
        Assert.Equal(expected.GetProperty("loss").GetDouble(), actual.GetProperty("loss").GetDouble());
        Assert.Equal(9, actual.GetProperty("steps").GetInt32());
        string[] rows = File.ReadAllLines(Path.Combine(folder, "killed", "metrics.jsonl"));
        Assert.Equal(rows.Length, rows.Select(r => JsonDocument.Parse(r).RootElement).Select(r => (r.GetProperty("kind").GetString(), r.GetProperty("step").GetInt32())).Distinct().Count());
    }

    [Fact]
    public void What_cannot_be_trained_is_said_in_one_line_before_anything_is_written()
    {
        MakeFaces();
        Refused("DATA is missing", "train", "--out", "run");
        Refused("--out is missing", "train", "faces");
        Refused("no-such-set", "train", "no-such-set", "--out", "run");
        Refused("--epochs is 0", "train", "faces", "--epochs", "0", "--out", "run");
        Refused("--steps", "train", "faces", "--schedule", "step", "--out", "run");
        Refused("no-such-loss", "train", "faces", "--loss", "no-such-loss", "--out", "run");
        Refused("--device cuda", "train", "faces", "--device", "cuda", "--out", "run");
        Refused("no training run", "train", "--resume", "nothing");
        Assert.False(Directory.Exists(Path.Combine(folder, "run")));
    }

    [Fact]
    public void A_resumed_run_takes_its_options_from_the_run_and_refuses_others()
    {
        MakeFaces();
        CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--margin", "0.3", "--out", "run"]).Expect(0);
        Refused("--lr 0.5", "train", "--resume", "run", "--lr", "0.5");
        Refused("--margin 0.4", "train", "--resume", "run", "--margin", "0.4");
        Refused("--loss arcface", "train", "--resume", "run", "--loss", "arcface");
        Refused("other", "train", "other", "--resume", "run");
        CliProcess.RunIn(folder, "train", "--resume", "run", "--margin", "0.3", "--loss", "uce", "--seed", "7").Expect(0);

        string picture = Directory.GetFiles(Path.Combine(folder, "faces"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        File.AppendAllText(picture, " ");
        Refused("has changed", "train", "--resume", "run");
    }

    private void MakeFaces() => CliProcess.RunIn(folder, "data", "make", "faces", "--people", "6", "--images", "4").Expect(0);

    private string[] GoOn() => File.Exists(Path.Combine(folder, "killed", "run.json"))
        ? ["train", "--resume", "killed", "--json"]
        : ["train", "faces", .. Recipe, "--out", "killed", "--json"];

    private void Refused(string word, params string[] args)
    {
        CliResult result = CliProcess.RunIn(folder, args).Expect(2);
        Assert.Contains(word, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
    }
}
