using System.Formats.Tar;
using UniFace.Data;
using UniFace.Data.Identity;
using UniFace.TestSupport;
using UniFace.Training.Data;
using UniFace.Training.Distributed;

namespace UniFace.Training.Tests.Distributed;

/// <summary>The ranks read a set without overlap: in an epoch, each image is read by one of them, and all have the labels of one process.</summary>
[Collection(SerialCollection.Name)]
public class ReadRanks
{
    private const int Images = 36;
    private const int People = 5;
    private const int Batch = 9;

    [Theory]
    [InlineData("records", false)]
    [InlineData("records", true)]
    [InlineData("shards", false)]
    [InlineData("shards", true)]
    public void Each_image_is_read_by_one_rank(string kind, bool indexed) => RankTest.OnRank(ranks =>
    {
        string set = ranks.Broadcast(ranks.Rank == 0 ? Create(kind, indexed) : "");
        using FaceDataset data = FaceDatasets.Open(set);
        using Counting counted = new(data);
        ShardRange part = ShardRange.Of(Batch, ranks.Rank, ranks.Size);
        UniformSampler sampler = new(Images, seed: 3);
        List<long> labels = Labels(counted, sampler, part);
        float[] reads = [.. counted.Reads.Select(count => (float)count)];
        Assert.Equal(part.Count * Images / Batch, reads.Sum());
        ranks.AllReduce(reads, Reduction.Sum, Traffic.Other);
        Assert.All(reads, sum => Assert.Equal(1, sum));
        Assert.Equal(Labels(data, sampler, null), labels);
        ranks.Barrier();
        if (ranks.Rank == 0)
        {
            Directory.Delete(set, recursive: true);
        }
    });

    private static List<long> Labels(FaceDataset data, UniformSampler sampler, ShardRange? part)
    {
        LoaderOptions options = new() { BatchSize = Batch, Part = part, Seed = 1, Threads = 2, CacheBytes = 0 };
        List<long> labels = [];
        foreach (TrainingBatch batch in new BatchLoader(data, new ToyDecoder(), sampler, AugmentOptions.None, options).Read(0))
        {
            labels.AddRange(batch.Labels.data<long>());
            batch.Dispose();
        }

        return labels;
    }

    private static string Create(string kind, bool indexed)
    {
        string folder = Directory.CreateTempSubdirectory("uniface-read-").FullName;
        if (kind == "records")
        {
            RecordIOWriter writer = new();
            for (int i = 0; i < Images; i++)
            {
                writer.AddImage(i + 1, Content(i), i % People);
            }

            writer.Save(folder);
        }
        else
        {
            foreach (int[] shard in Enumerable.Range(0, Images).Chunk(15))
            {
                using TarWriter writer = new(File.Create(Path.Combine(folder, $"{shard[0]:D2}.tar")), TarEntryFormat.Pax);
                foreach (int i in shard)
                {
                    writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"person{i % People}/{i}.png") { DataStream = new MemoryStream(Content(i)) });
                }
            }
        }

        if (indexed)
        {
            DatasetIndexBuilder.Build(folder);
        }

        return folder;
    }

    /// <summary>What <see cref="ToyDecoder"/> decodes.</summary>
    private static byte[] Content(int image) => [(byte)(image % People), (byte)image, 0];

    /// <summary>Another set, whose reads are counted for each image.</summary>
    private sealed class Counting : FaceDataset
    {
        private readonly FaceDataset inner;

        public Counting(FaceDataset inner)
        {
            this.inner = inner;
            (Source, People, Samples) = (inner.Source, inner.People, inner.Samples);
            Reads = new int[inner.Samples.Count];
        }

        public int[] Reads { get; }

        public override byte[] Read(int index)
        {
            Interlocked.Increment(ref Reads[index]);
            return inner.Read(index);
        }
    }
}
