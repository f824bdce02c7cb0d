using System.Text;
using TorchSharp;
using UniFace.Data;
using UniFace.Training.Backbones;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

/// <summary>Creating, training, resuming and exporting a run.</summary>
[Collection(SerialCollection.Name)]
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
    public void A_diverging_run_names_the_tensor_and_keeps_its_last_checkpoint()
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
    public void The_best_weights_are_kept_and_loaded()
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
    }

    [Fact]
    public void Resume_refuses_data_that_changed()
    {
        using ToyDataset data = new(4, 3);
        Trainer.Create(folder, Small, data, decoder: new ToyDecoder()).Dispose();
        using ToyDataset changed = new(4, 3, salt: 1);
        UniFaceException refused = Assert.Throws<UniFaceException>(() => Trainer.Resume(folder, changed, decoder: new ToyDecoder()));
        Assert.Contains(changed.Source, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_a_checkpoint_is_replaced()
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
        Assert.Contains(folder, stale.Message, StringComparison.Ordinal);
        Assert.Equal(2, RunFolder.ReadInfo(folder).Options.Seed);
    }

    [Fact]
    public void A_run_with_a_checkpoint_is_not_replaced()
    {
        using ToyDataset data = new(4, 3);
        using (Trainer trainer = Trainer.Create(folder, Small with { Epochs = 1 }, data, decoder: new ToyDecoder()))
        {
            trainer.Run(null, TestContext.Current.CancellationToken);
        }

        string before = File.ReadAllText(Path.Combine(folder, RunFolder.InfoFile));
        UniFaceException refused = Assert.Throws<UniFaceException>(() => Trainer.Create(folder, Small, data, decoder: new ToyDecoder()));
        Assert.Contains(folder, refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(folder, RunFolder.InfoFile)));
    }

    [Fact]
    public void Resume_records_changes_of_threads_data_path_and_epochs()
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
        using (Trainer trainer = Trainer.Resume(folder, data, decoder: new ToyDecoder(), changed: changed))
        {
            Assert.Equal(2, trainer.Run(null, TestContext.Current.CancellationToken).Result!.Epochs);
        }

        RunInfo after = RunFolder.ReadInfo(folder);
        Assert.Equal((before.Id, 2, 2, "moved"), (after.Id, after.Options.Epochs, after.Options.Threads, after.Options.Data));
        Assert.Equal(["step 1: data toy to moved", "step 1: threads 1 to 2", "step 1: epochs 1 to 2"], after.Changes);
        Assert.Contains(RunEventLog.Read(folder), n => n.Message == "resumed from step 1, with data toy to moved, with threads 1 to 2, with epochs 1 to 2");
    }

    [Fact]
    public void Resume_rejects_other_changes()
    {
        using ToyDataset data = new(4, 3);
        Trainer.Create(folder, Small, data, decoder: new ToyDecoder()).Dispose();
        string Refused(TrainOptions wanted) =>
            Assert.Throws<UniFaceException>(() => Trainer.Resume(folder, data, decoder: new ToyDecoder(), changed: wanted)).Message;
        Assert.Contains("new run", Refused(Small with { Batch = 5 }), StringComparison.Ordinal);
        Assert.Contains("Epochs is 0", Refused(Small with { Epochs = 0 }), StringComparison.Ordinal);
        Assert.Contains("1 epochs", Refused(Small with { Epochs = 1 }), StringComparison.Ordinal);
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

    private sealed class BrokenDecoder : UniFace.Faces.IImageDecoder
    {
        public UniFace.Faces.RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => throw new UniFaceException($"{source} is not an image");
    }
}
