using System.Text.Json.Nodes;
using UniFace.Training.Backbones;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

[Collection(SerialCollection.Name)]
public sealed class ResumeTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("uniface-resume-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    public static TheoryData<string> Recipes() => ["sgd", "adamw", "accumulate and average", "dropout", "sampled negatives", "validation", "float16"];

    /// <summary>A kill is an exception from within the step's callback: nothing is saved on the way out.</summary>
    [Theory]
    [MemberData(nameof(Recipes))]
    public void A_run_killed_at_every_step_ends_with_the_same_bits_and_the_same_log(string recipe)
    {
        TrainOptions options = Recipe(recipe);
        (string sha, JsonObject[] rows) = Whole(options, recipe);

        string folder = Path.Combine(root, "killed");
        int kills = 0;
        TrainResult? result = null;
        while (result is null)
        {
            using Trainer trainer = Toy.Open(folder, options, backbone: () => Network(recipe));
            long dies = trainer.Step + 3;
            try
            {
                result = trainer.Run(new TrainingEvents { Progress = p => Die(p.Metrics.Step == dies) }, TestContext.Current.CancellationToken).Result;
            }
            catch (KilledException)
            {
                kills++;
            }
        }

        Assert.True(kills >= 2, $"{kills} kills");
        Assert.Equal(sha, result.Sha256);
        if (recipe == "float16")
        {
            // The scale has both fallen and risen, so that the log shows whether it was resumed.
            double[] scales = [.. rows.Where(row => (string)row["kind"]! == "step").Select(row => (double)row["lossScale"]!)];
            Assert.Contains(scales.Zip(scales.Skip(1)), pair => pair.Second < pair.First);
            Assert.Contains(scales.Zip(scales.Skip(1)), pair => pair.Second > pair.First);
        }

        JsonObject[] resumed = Rows(folder);
        Assert.Equal(rows.Length, resumed.Length);
        foreach ((JsonObject expected, JsonObject actual) in rows.Zip(resumed))
        {
            Assert.Equal(WithoutTimes(expected), WithoutTimes(actual));
        }
    }

    [Fact]
    public void A_canceled_run_saves_and_resumes_from_that_step()
    {
        (string sha, _) = Whole(Toy.Options);
        string folder = Path.Combine(root, "stopped");
        using CancellationTokenSource stop = new();
        using (Trainer trainer = Toy.Open(folder, Toy.Options with { CheckpointEvery = 0 }))
        {
            TrainingEvents events = new()
            {
                Progress = p =>
                {
                    if (p.Metrics.Step == 5)
                    {
                        stop.Cancel();
                    }
                },
            };
            Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(events, stop.Token));
        }

        using Trainer next = Toy.Open(folder, Toy.Options with { CheckpointEvery = 0 });
        Assert.Equal(5, next.Step);
        Assert.Equal(sha, next.Run(null, TestContext.Current.CancellationToken).Result!.Sha256);
    }

    [Fact]
    public void A_finished_run_resumed_changes_nothing()
    {
        string folder = Path.Combine(root, "done");
        string first;
        using (Trainer trainer = Toy.Open(folder, Toy.Options))
        {
            first = trainer.Run(null, TestContext.Current.CancellationToken).Result!.Sha256;
        }

        byte[] log = File.ReadAllBytes(Path.Combine(folder, RunFolder.MetricsFile));
        using Trainer again = Toy.Open(folder, Toy.Options);
        TrainResult result = again.Run(null, TestContext.Current.CancellationToken).Result!;
        Assert.Equal(first, result.Sha256);
        Assert.Equal(0, result.ImagesPerSecond);
        Assert.Equal(log, File.ReadAllBytes(Path.Combine(folder, RunFolder.MetricsFile)));
    }

    [Fact]
    public void Another_seed_gives_different_weights()
    {
        (string one, _) = Whole(Toy.Options);
        (string two, _) = Whole(Toy.Options with { Seed = 2 }, name: "two");
        Assert.NotEqual(one, two);
    }

    [Fact]
    public void Resuming_truncates_the_log_to_the_checkpoint()
    {
        string path = Path.Combine(root, "metrics.jsonl");
        File.WriteAllText(path, """
            {"kind":"epoch","step":0,"epoch":0}
            {"kind":"step","step":4,"epoch":1}
            {"kind":"epoch","step":4,"epoch":1}
            {"kind":"step","step":6,"epoch":2}
            {"kind":"step","st
            """);
        using (MetricsLog log = new(root, 4, 0))
        {
            log.Write(new StepMetrics
            {
                Step = 5,
                Epoch = 1,
                Loss = 1,
                Lr = 1,
                ImagesPerSecond = 1,
                GradNorm = 1,
                TargetCosine = 0,
                HardestNegativeCosine = 0,
            });
        }

        string[] lines = File.ReadAllLines(path);
        Assert.Equal(["""{"kind":"epoch","step":0,"epoch":0}""", """{"kind":"step","step":4,"epoch":1}"""], lines[..2]);
        Assert.Contains("\"step\":5,\"epoch\":1,", Assert.Single(lines[2..]), StringComparison.Ordinal);
    }

    private static TrainOptions Recipe(string name) => name switch
    {
        "adamw" => Toy.Options with { Optimizer = OptimizerKind.AdamW, LearningRate = 0.01, Schedule = ScheduleKind.Cosine },
        "accumulate and average" => Toy.Options with { Accumulate = 2, Ema = 0.9, Batch = 2, Decay = WeightDecayRule.Weights },
        "sampled negatives" => Toy.Options with { Loss = new UnifiedCrossEntropy { NegativeRate = 0.5 }, Sampler = "class-balanced", ClassWeight = "inverse" },
        "validation" => Toy.Options with { ValidationPeople = 0.34 },
        "float16" => Toy.Options with { Precision = Precision.Float16, Optimizer = OptimizerKind.AdamW, LearningRate = 0.01, Ema = 0.9 },
        _ => Toy.Options,
    };

    private static ToyBackbone Network(string recipe) => new(dropout: recipe == "dropout", half: recipe == "float16" ? 1 : null);

    private (string Sha, JsonObject[] Rows) Whole(TrainOptions options, string recipe = "", string name = "whole")
    {
        string folder = Path.Combine(root, name);
        using Trainer trainer = Toy.Open(folder, options, backbone: () => Network(recipe));
        TrainResult result = trainer.Run(null, TestContext.Current.CancellationToken).Result!;
        return (result.Sha256, Rows(folder));
    }

    private static JsonObject[] Rows(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, RunFolder.MetricsFile)).Select(line => JsonNode.Parse(line)!.AsObject())];

    private static string WithoutTimes(JsonObject row)
    {
        row.Remove("imagesPerSecond");
        return row.ToJsonString();
    }

    private static void Die(bool now)
    {
        if (now)
        {
            throw new KilledException();
        }
    }

    private sealed class KilledException : Exception;
}
