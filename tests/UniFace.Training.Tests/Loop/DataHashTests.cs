using UniFace.Data;
using UniFace.Data.Identity;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

/// <summary>A run reads its data as it trains: it knows the hash after the first epoch, and a resumed run notices what has changed.</summary>
[Collection(SerialCollection.Name)]
public sealed class DataHashTests : IDisposable
{
    private static readonly TrainOptions Small = Toy.Options with
    {
        Backbone = new("mobilefacenet", 0.25, 8),
        Epochs = 2,
        ValidationPeople = 0.25,
        CheckpointEvery = 2,
    };

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-hash-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Starting_reads_only_a_sample_and_the_first_epoch_completes_the_hash()
    {
        using CountingDataset data = new(new ToyDataset(8, 16));
        TrainOptions options = Small with { ValidationPeople = 0 };
        using Trainer trainer = Trainer.Create(folder, options, data, decoder: new ToyDecoder());
        Assert.InRange(data.Reads, 1, DatasetFingerprint.SampledContents);
        Assert.Equal(RunInfo.Incomplete, RunFolder.ReadInfo(folder).DataHash);
        Assert.Equal(RunInfo.Incomplete, trainer.Info.DataHash);
        List<string> atEpochs = [];
        trainer.Run(
            new TrainingEvents { EpochEnded = _ => atEpochs.Add(RunFolder.ReadInfo(folder).DataHash) }, TestContext.Current.CancellationToken);
        string hash = data.ComputeHash();
        Assert.Equal([RunInfo.Incomplete, RunInfo.Incomplete, hash], atEpochs);
        Assert.Equal(hash, trainer.Info.DataHash);
        Assert.Equal(hash, RunFolder.ReadInfo(folder).Provenance().DataHash);
    }

    [Fact]
    public void A_run_that_is_stopped_in_the_first_epoch_is_incomplete_and_resumes_with_what_it_has_read()
    {
        using ToyDataset data = new(8, 5);
        Stop(data);
        Assert.Equal(RunInfo.Incomplete, RunFolder.ReadInfo(folder).DataHash);
        using (ContentHashes hashes = ContentHashes.Open(
            Path.Combine(folder, ContentHashes.FileName), data, RunFolder.ReadInfo(folder).DataFingerprint!))
        {
            Assert.InRange(hashes.Count, 8, 30);
        }

        using Trainer next = Trainer.Resume(folder, data, decoder: new ToyDecoder());
        next.Run(null, TestContext.Current.CancellationToken);
        Assert.Equal(data.ComputeHash(), RunFolder.ReadInfo(folder).DataHash);
    }

    [Fact]
    public void A_resumed_run_ends_when_it_reads_an_image_that_has_changed()
    {
        // More images than the fingerprint reads, of which one has changed that it does not read.
        using ToyDataset data = new(8, 16);
        TrainOptions options = Small with { ValidationPeople = 0 };
        using (Trainer trainer = Trainer.Create(folder, options, data, decoder: new ToyDecoder()))
        {
            trainer.Run(null, TestContext.Current.CancellationToken);
        }

        using CountingDataset changed = new(new ToyDataset(8, 16)) { Changed = 17 };
        using Trainer next = Trainer.Resume(folder, changed, changed: options with { Epochs = 3 }, decoder: new ToyDecoder());
        UniFaceException error = Assert.Throws<UniFaceException>(() => next.Run(null, TestContext.Current.CancellationToken));
        Assert.Contains("person01/1.png has changed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_from_before_fingerprints_is_compared_by_its_hash()
    {
        using ToyDataset data = new(8, 5);
        Stop(data);
        RunFolder.WriteInfo(folder, RunFolder.ReadInfo(folder) with { DataFingerprint = null, DataHash = data.ComputeHash() });
        using ToyDataset other = new(8, 5, salt: 1);
        Assert.Contains("its hash is", Assert.Throws<UniFaceException>(() => Trainer.Resume(folder, other, decoder: new ToyDecoder())).Message,
            StringComparison.Ordinal);
        using Trainer next = Trainer.Resume(folder, data, decoder: new ToyDecoder());
        next.Run(null, TestContext.Current.CancellationToken);
        Assert.Equal(data.ComputeHash(), RunFolder.ReadInfo(folder).DataHash);
    }

    private void Stop(FaceDataset data)
    {
        using Trainer trainer = Trainer.Create(folder, Small, data, decoder: new ToyDecoder());
        Assert.Throws<InvalidOperationException>(() => trainer.Run(
            new TrainingEvents { Progress = progress => Kill(progress.Metrics.Step == 3) }, TestContext.Current.CancellationToken));

        static void Kill(bool now)
        {
            if (now)
            {
                throw new InvalidOperationException("killed");
            }
        }
    }

    /// <summary>Another set, whose reads are counted, with one image changed.</summary>
    private sealed class CountingDataset : FaceDataset
    {
        private readonly FaceDataset inner;
        private int reads;

        public CountingDataset(FaceDataset inner)
        {
            this.inner = inner;
            (Source, People, Samples) = (inner.Source, inner.People, inner.Samples);
        }

        public int Reads => reads;

        public int Changed { get; init; } = -1;

        public override byte[] Read(int index)
        {
            Interlocked.Increment(ref reads);
            byte[] encoded = inner.Read(index);
            encoded[2] ^= (byte)(index == Changed ? 1 : 0);
            return encoded;
        }

        public override long SizeOf(int index) => 3;
    }
}
