using System.Text;
using TorchSharp;
using UniFace.Data;
using UniFace.Training.Backbones;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class TrainerTests : IDisposable
{
    private static readonly TrainOptions Small = new()
    {
        Data = "toy",
        Loss = new UnifiedCrossEntropy(),
        Backbone = new BackboneSpec("mobilefacenet", 0.25, 8),
        Epochs = 2,
        Batch = 10,
        LogEvery = 1,
    };

    private readonly string folder = Path.Combine(Path.GetTempPath(), "uniface-trainer-" + Guid.NewGuid().ToString("N"));

    public void Dispose()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Training_separates_the_people()
    {
        TrainOptions options = Toy.Options with { Epochs = 30, CheckpointEvery = 0, ValidateEvery = 30 };
        List<EpochMetrics> epochs = [];
        using Trainer trainer = Toy.Open(folder, options);
        trainer.Run(new TrainingEvents { EpochEnded = epochs.Add }, TestContext.Current.CancellationToken);
        Assert.Equal(31, epochs.Count);
        Assert.True(epochs[^1].Loss < 0.3 * epochs[0].Loss, $"loss {epochs[0].Loss} to {epochs[^1].Loss}");
        Assert.True(epochs[^1].TargetCosine > epochs[^1].HardestNegativeCosine + 0.15, $"{epochs[^1].TargetCosine} {epochs[^1].HardestNegativeCosine}");
        Assert.NotNull(epochs[^1].Threshold);

        byte[] events = File.ReadAllBytes(Assert.Single(Directory.GetFiles(Path.Combine(folder, RunFolder.TensorBoardFolder))));
        foreach (string tag in new[] { "train/loss", "train/lr", "cosine/target", "cosine/threshold", "epoch/loss" })
        {
            Assert.True(events.AsSpan().IndexOf(Encoding.UTF8.GetBytes(tag)) > 0, tag);
        }
    }

    [Fact]
    public void A_diverging_run_stops_with_the_name_of_the_tensor_and_keeps_the_last_good_checkpoint()
    {
        TrainOptions options = Toy.Options with { LearningRate = 1e38, Warmup = 0, Clip = 0, CheckpointEvery = 1000 };
        using Trainer trainer = Toy.Open(folder, options);
        UniFaceException e = Assert.Throws<UniFaceException>(() => trainer.Run(null, TestContext.Current.CancellationToken));
        Assert.Contains("not finite", e.Message, StringComparison.Ordinal);
        Assert.Contains("backbone.layers.", e.Message, StringComparison.Ordinal);
        Assert.Contains("margin (now 0.4)", e.Message, StringComparison.Ordinal);
        Assert.Contains("scale (now 64)", e.Message, StringComparison.Ordinal);
        Assert.Contains("learning rate (now 1E+38)", e.Message, StringComparison.Ordinal);
        Assert.Contains("person0", e.Message, StringComparison.Ordinal);
        Assert.Single(e.Message.Split('\n'));

        using Trainer again = Toy.Open(folder, options);
        Assert.Equal(0, again.Step);
    }

    [Fact]
    public void The_best_weights_are_kept_and_loaded_and_data_that_changed_is_refused()
    {
        using ToyDataset data = new(8, 5);
        using (Trainer trainer = Trainer.Create(folder, Small with { ValidationPeople = 0.25, Ema = 0.5 }, data, decoder: new ToyDecoder()))
        {
            Assert.Equal(2, trainer.Info.HeldOut.Count);
            Assert.Equal(6, trainer.Info.People);
            Assert.Equal(30, trainer.Info.Images);
            trainer.Run(null, TestContext.Current.CancellationToken);
        }

        (Backbone best, RunInfo info) = RunFolder.LoadBackbone(folder);
        (Backbone last, _) = RunFolder.LoadBackbone(folder, best: false);
        using (best)
        using (last)
        {
            Assert.False(best.training);
            Assert.Equal(data.ComputeHash(), info.DataHash);
            Assert.Equal(info.Options.Loss.ToString(), info.Provenance().Loss);
            using torch.Tensor face = torch.randn(1, 3, 112, 112);
            using torch.Tensor embedding = best.forward(face);
            Assert.Equal([1, 8], embedding.shape);
        }

        UniFaceException twice = Assert.Throws<UniFaceException>(() => Trainer.Create(folder, Small, data, decoder: new ToyDecoder()));
        Assert.Contains("holds a run already", twice.Message, StringComparison.Ordinal);
        using ToyDataset changed = new(8, 5, salt: 1);
        UniFaceException refused = Assert.Throws<UniFaceException>(() => Trainer.Resume(folder, changed, decoder: new ToyDecoder()));
        Assert.Contains("has changed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_a_checkpoint_can_be_replaced_and_a_run_with_one_cannot()
    {
        using ToyDataset data = new(4, 3);
        using (Trainer failing = Trainer.Create(folder, Small with { Epochs = 1 }, data, decoder: new BrokenDecoder()))
        {
            Assert.Throws<UniFaceException>(() => failing.Run(null, TestContext.Current.CancellationToken));
        }

        using ToyDataset mended = new(4, 3, salt: 1);
        using Trainer first = Trainer.Create(folder, Small with { Epochs = 1 }, mended, decoder: new ToyDecoder());
        using Trainer second = Trainer.Create(folder, Small with { Epochs = 1, Seed = 2 }, mended, decoder: new ToyDecoder());
        UniFaceException stale = Assert.Throws<UniFaceException>(() => first.Run(null, TestContext.Current.CancellationToken));
        Assert.Contains("in the meantime", stale.Message, StringComparison.Ordinal);
        second.Run(null, TestContext.Current.CancellationToken);
        Assert.Equal(2, RunFolder.ReadInfo(folder).Options.Seed);
        UniFaceException taken = Assert.Throws<UniFaceException>(() => Trainer.Create(folder, Small, mended, decoder: new ToyDecoder()));
        Assert.Contains("holds a run already", taken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_resumed_run_may_change_threads_data_path_and_epochs_only_and_records_the_changes()
    {
        using ToyDataset data = new(4, 3);
        TrainOptions options = Small with { Epochs = 1, Threads = 1 };
        using (Trainer trainer = Trainer.Create(folder, options, data, decoder: new ToyDecoder()))
        {
            trainer.Run(null, TestContext.Current.CancellationToken);
        }

        RunInfo before = RunFolder.ReadInfo(folder);
        Assert.Empty(before.Changes);
        TrainOptions changed = options with { Epochs = 2, Threads = 2, Data = "moved" };
        UniFaceException Refused(TrainOptions wanted) =>
            Assert.Throws<UniFaceException>(() => Trainer.Resume(folder, data, decoder: new ToyDecoder(), changed: wanted));
        Assert.Contains("anything else is a new run", Refused(changed with { Batch = 5 }).Message, StringComparison.Ordinal);
        Assert.Contains("Epochs is 0", Refused(changed with { Epochs = 0 }).Message, StringComparison.Ordinal);
        using (Trainer trainer = Trainer.Resume(folder, data, decoder: new ToyDecoder(), changed: changed))
        {
            Assert.Equal(2, trainer.Run(null, TestContext.Current.CancellationToken).Result!.Epochs);
        }

        RunInfo after = RunFolder.ReadInfo(folder);
        Assert.Equal((before.Id, 2, 2, "moved"), (after.Id, after.Options.Epochs, after.Options.Threads, after.Options.Data));
        Assert.Equal(["step 1: data toy to moved", "step 1: threads 1 to 2", "step 1: epochs 1 to 2"], after.Changes);
        Assert.Contains(RunEventLog.Read(folder), n => n.Message == "resumed from step 1, with data toy to moved, with threads 1 to 2, with epochs 1 to 2");
        Assert.Contains("fewer than", Refused(changed with { Epochs = 1 }).Message, StringComparison.Ordinal);
    }

    /// <summary>Runs of version 1, with or without an id and checksums, drew from other random streams: only their backbone can be used.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_of_the_old_format_can_be_exported_but_not_resumed(bool hasId)
    {
        using ToyDataset data = new(4, 3);
        using (Trainer trainer = Trainer.Create(folder, Small with { Epochs = 1 }, data, decoder: new ToyDecoder()))
        {
            trainer.Run(null, TestContext.Current.CancellationToken);
        }

        (string id, string[] heldOut) = (RunFolder.ReadInfo(folder).Id, ["person00", "person03"]);
        RunFolder.WriteInfo(folder, RunFolder.ReadInfo(folder) with { SchemaVersion = 1, HeldOut = heldOut });
        if (!hasId)
        {
            Edit(RunFolder.InfoFile, (id, ""));
            Edit(RunFolder.LastFile, ("\"sha256\":", "\"unused\":"), ("uniface-checkpoint-2", "uniface-checkpoint-1"));
            Edit(RunFolder.LastFile, ($"\"{id}\"", "\"\"" + new string(' ', id.Length))); // The header keeps its length.
        }

        string message = Assert.Throws<UniFaceException>(() => Trainer.Resume(folder, data, decoder: new ToyDecoder())).Message;
        Assert.Contains("was started by an earlier version", message, StringComparison.Ordinal);
        Assert.Contains("train again", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        TrainingRun old = TrainingRun.Open(folder);
        Assert.Equal(heldOut, old.Info.UnseenPeople(data, null)!.People);
        using (BackboneEmbedder embedder = old.OpenEmbedder())
        {
            Assert.Equal(8, embedder.EmbeddingSize);
        }

        old.Export(Path.Combine(folder, "package"), cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(File.Exists(Path.Combine(folder, "package", "model.onnx")));

        void Edit(string file, params (string Written, string Edited)[] changes)
        {
            string path = Path.Combine(folder, file), text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
            foreach ((string written, string edited) in changes)
            {
                Assert.Contains(written, text, StringComparison.Ordinal);
                text = text.Replace(written, edited, StringComparison.Ordinal);
            }

            File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text));
        }
    }

    [Fact]
    public void A_folder_that_is_not_a_run_and_a_damaged_run_are_errors_of_one_line()
    {
        Directory.CreateDirectory(folder);
        Assert.Contains("not a training run", Assert.Throws<UniFaceException>(() => RunFolder.LoadBackbone(folder)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, RunFolder.InfoFile), "{\"schemaVersion\":1}");
        Assert.Contains("run.json", Assert.Throws<UniFaceException>(() => RunFolder.ReadInfo(folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"changes\": []", "\"changes\": null")]
    [InlineData("\"heldOut\": []", "\"heldOut\": null")]
    [InlineData("\"steps\": []", "\"steps\": null")]
    [InlineData("\"augment\": {", "\"augment\": null, \"other\": {")]
    [InlineData("\"data\": \"toy\"", "\"data\": null")]
    [InlineData("\"optimizer\": \"sgd\"", "\"optimizer\": 7")]
    public void A_run_description_with_null_or_a_value_of_the_wrong_type_is_refused_in_one_line(string written, string edited)
    {
        using ToyDataset data = new(4, 3);
        Trainer.Create(folder, Small, data, decoder: new ToyDecoder()).Dispose();
        string path = Path.Combine(folder, RunFolder.InfoFile), text = File.ReadAllText(path);
        Assert.Contains(written, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(written, edited, StringComparison.Ordinal));
        UniFaceException refused = Assert.Throws<UniFaceException>(() => RunFolder.ReadInfo(folder));
        Assert.StartsWith(path + " is not a run description", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void People_held_out_are_the_same_for_a_seed_and_are_never_trained_on()
    {
        using ToyDataset data = new(20, 3);
        (FaceDataset training, FaceDataset? heldOut) = DatasetSubset.HoldOut(data, 0.2, 5);
        (_, FaceDataset? again) = DatasetSubset.HoldOut(data, 0.2, 5);
        Assert.Equal(4, heldOut!.People.Count);
        Assert.Equal(heldOut.People, again!.People);
        Assert.Empty(training.People.Intersect(heldOut.People));
        Assert.Equal(data.People, training.People.Concat(heldOut.People).Order(StringComparer.Ordinal));
        Assert.Equal(48, training.Samples.Count);
        for (int i = 0; i < training.Samples.Count; i++)
        {
            Assert.StartsWith(training.People[training.Samples[i].Label], training.Samples[i].Name, StringComparison.Ordinal);
            Assert.Equal(data.People.ToList().IndexOf(training.People[training.Samples[i].Label]), training.Read(i)[0]);
        }
    }

    [Fact]
    public void The_warning_about_a_loss_that_does_not_fall_says_what_to_change()
    {
        RunningStatistics apart = new() { Images = 1, TargetSum = 0.5, HardestNegativeSum = 0.3 };
        RunningStatistics together = new() { Images = 1, TargetSum = 0.1, HardestNegativeSum = 0.3 };
        TrainOptions options = Toy.Options with { Warmup = 1.5 };
        string? Warning(RunningStatistics epoch, double rateLeft, params double[] losses) => PlateauWatch.Warning(losses, epoch, rateLeft, options);
        Assert.Null(Warning(apart, 1, 12, 11, 10, 9));
        Assert.Null(Warning(apart, 1, 10, 11, 12));
        Assert.Null(Warning(apart, 0.01, 12, 11, 10, 10));
        Assert.Contains("rises", Warning(apart, 1, 12, 11, 10, 12)!, StringComparison.Ordinal);
        Assert.Contains("margin (now 0.4)", Warning(together, 1, 12, 11, 10, 10)!, StringComparison.Ordinal);
        Assert.Contains("learning rate (now 0.05)", Warning(apart, 1, 12, 11, 10, 10)!, StringComparison.Ordinal);
    }

    private sealed class BrokenDecoder : UniFace.Faces.IImageDecoder
    {
        public UniFace.Faces.RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => throw new UniFaceException($"{source} is no picture");
    }
}
