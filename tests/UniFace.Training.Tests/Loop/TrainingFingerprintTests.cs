using UniFace.Data;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

/// <summary>However a run is stopped, training.hashes covers every image that its checkpoint has seen.</summary>
[Collection(SerialCollection.Name)]
public sealed class TrainingFingerprintTests : IDisposable
{
    private static readonly TrainOptions Small = Toy.Options with { Backbone = new("mobilefacenet", 0.25, 8), Epochs = 1 };

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-record-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Exactly_the_images_trained_on_are_hashed()
    {
        using ToyDataset data = new(8, 5);
        using Trainer trainer = Trainer.Create(folder, Small with { ValidationPeople = 0.25, Epochs = 2 }, data, decoder: new ToyDecoder());
        Assert.False(File.Exists(Record)); // Nothing is hashed before the first step.
        Assert.Equal(2, trainer.Run(null, TestContext.Current.CancellationToken).Result!.HeldOut);
        TrainingFingerprint trained = TrainingFingerprint.Load(Record);
        Assert.True(trained.Complete);
        for (int i = 0; i < data.Samples.Count; i++)
        {
            Assert.Equal(!trainer.Info.HeldOut.Contains(data.People[data.Samples[i].Label]), trained.HasImage(data.Read(i)));
        }
    }

    [Fact]
    public void A_killed_and_resumed_run_has_fingerprints_of_all_images()
    {
        using ToyDataset data = new(6, 6);
        TrainOptions options = Toy.Options with { Epochs = 1, CheckpointEvery = 2 };
        using (Trainer first = Toy.Open(folder, options, data))
        {
            Assert.Throws<InvalidOperationException>(() => first.Run(new TrainingEvents { Progress = p => Die(p.Metrics.Step == 5) },
                TestContext.Current.CancellationToken));
        }

        using Trainer next = Toy.Open(folder, options, data);
        Assert.Equal(4, next.Step);
        next.Run(null, TestContext.Current.CancellationToken);
        TrainingFingerprint trained = TrainingFingerprint.Load(Record);
        Assert.True(trained.Complete);
        Assert.All(Enumerable.Range(0, data.Samples.Count), i => Assert.True(trained.HasImage(data.Read(i)), data.Samples[i].Name));

        static void Die(bool now)
        {
            if (now)
            {
                throw new InvalidOperationException("killed");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_lost_or_damaged_fingerprint_is_reported_as_incomplete(bool damaged)
    {
        TrainOptions options = Toy.Options with { Epochs = 1 };
        using (Trainer first = Toy.Open(folder, options))
        {
            first.Run(null, TestContext.Current.CancellationToken);
        }

        File.WriteAllText(Record, "damaged");
        if (!damaged)
        {
            File.Delete(Record);
        }

        List<string> warnings = [];
        using Trainer next = Toy.Open(folder, options with { Epochs = 2 });
        next.Run(new TrainingEvents { Warning = warnings.Add }, TestContext.Current.CancellationToken);
        Assert.Contains(warnings, warning => warning.Contains("incomplete", StringComparison.Ordinal));
        Assert.False(TrainingFingerprint.Load(Record).Complete);
    }

    [Fact]
    public void A_validation_set_that_overlaps_the_training_set_is_refused()
    {
        using ToyDataset data = new(6, 5);
        Refused("has 30 of the 30 training images and 0 of the 6 people by name, e.g. person00/0.png", data);
        using ToyDataset others = new(4, 5, salt: 1); // generic names, which identify nobody
        using (Trainer.Create(Path.Combine(folder, "run"), Small, data, others, decoder: new ToyDecoder()))
        {
        }

        void Refused(string words, FaceDataset validation)
        {
            UniFaceException error = Assert.Throws<UniFaceException>(() => Trainer.Create(folder, Small, data, validation, decoder: new ToyDecoder()));
            Assert.Contains(words, error.Message, StringComparison.Ordinal);
            Assert.Single(error.Message.Split('\n'));
            Assert.False(File.Exists(Path.Combine(folder, RunFolder.InfoFile)));
        }
    }

    [Fact]
    public void A_validation_set_of_another_image_size_is_refused_at_the_start()
    {
        using ToyDataset data = new(6, 5), validation = new(4, 5, salt: 1);
        UniFaceException error = Assert.Throws<UniFaceException>(() => Trainer.Create(folder, Small, data, validation, decoder: new LargeDecoder()));
        Assert.Contains("toy: person00/0.png is 128x128, expected 112x112", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, RunFolder.InfoFile)));
    }

    private string Record => Path.Combine(folder, TrainingFingerprint.FileName);

    private sealed class LargeDecoder : IImageDecoder
    {
        public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => new(128, 128);
    }
}
