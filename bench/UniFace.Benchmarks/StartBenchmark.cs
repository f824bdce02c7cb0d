using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using UniFace.Data;
using UniFace.Data.Identity;
using UniFace.Data.Indexing;
using UniFace.Training.Data;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Benchmarks;

/// <summary>A part of the start.</summary>
/// <param name="Name">What is done.</param>
/// <param name="Seconds">Its time.</param>
/// <param name="Memory">Resident bytes after it, with mapped pages of the index, which the system takes back when it needs memory.</param>
internal sealed record StartPart(string Name, double Seconds, long Memory);

/// <summary>Time and memory until the first batch of a training.</summary>
/// <param name="Images">Images of the set.</param>
/// <param name="People">People of the set.</param>
/// <param name="IndexBytes">Size of its index.</param>
/// <param name="Parts">The parts of the start, in order.</param>
/// <param name="Seconds">Time of all parts.</param>
/// <param name="PeakBytes">Largest resident memory during the start.</param>
/// <param name="ManagedBytes">Objects and arrays in use at the end.</param>
internal sealed record StartSpeed(
    int Images, int People, long IndexBytes, IReadOnlyList<StartPart> Parts, double Seconds, long PeakBytes, long ManagedBytes);

/// <summary>
/// Starts a training on a synthetic RecordIO set with an index: everything that depends on the number of images, up to the order of the first epoch. The
/// records are a sparse file, in which only those that a start reads are written.
/// </summary>
internal static class StartBenchmark
{
    private const int RecordBytes = 1024;
    private const int HeaderBytes = 32;
    private const uint Magic = 0xCED7230A;

    /// <summary>Writes the set into a folder and measures the start.</summary>
    public static StartSpeed Run(string folder, int images, int people)
    {
        string records = Path.Combine(folder, "train.rec");
        int LabelOf(int i) => (int)((long)i * people / images);
        WriteRecords(records, images, LabelOf);
        string index = WriteIndex(records, images, people, LabelOf);
        GC.Collect();
        ResidentMemory.ResetPeak();

        List<StartPart> parts = [];
        TrainOptions options = new() { Data = records, Loss = new UnifiedCrossEntropy() };
        using FaceDataset data = Time("open the index", options.OpenData);
        string fingerprint = Time("fingerprint", () => DatasetFingerprint.Compute(data));
        FaceDataset training = Time("hold people out", () => (options with { ValidationPeople = 0.1 }).Split(data).Training);
        Time("check the labels", () => FaceDatasetCheck.Require(training));
        using ContentHashes hashes = Time("file of hashes", () => ContentHashes.Open(Path.Combine(folder, ContentHashes.FileName), data, fingerprint));
        ISampler sampler = Time("sampler", () => Samplers.Create("uniform", training, 64, 4, 1));
        bool[] read = Time("loader", () => new bool[training.Samples.Count]);
        int[] order = Time("order of the epoch", () => sampler.GetOrder(0));
        long managed = GC.GetTotalMemory(forceFullCollection: false);
        GC.KeepAlive(order);
        GC.KeepAlive(read);
        return new StartSpeed(
            images, people, new FileInfo(index).Length, parts, parts.Sum(part => part.Seconds), ResidentMemory.Peak(), managed);

        T Time<T>(string name, Func<T> run)
        {
            Stopwatch clock = Stopwatch.StartNew();
            T result = run();
            parts.Add(new StartPart(name, clock.Elapsed.TotalSeconds, ResidentMemory.Now()));
            return result;
        }
    }

    private static void WriteRecords(string path, int images, Func<int, int> labelOf)
    {
        using FileStream file = File.Create(path);
        file.SetLength((long)images * RecordBytes);
        byte[] header = new byte[HeaderBytes];
        int sampled = Math.Min(DatasetFingerprint.SampledContents, images);
        for (int i = 0; i < sampled; i++)
        {
            int sample = (int)((long)i * images / sampled);
            BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), RecordBytes - 8);
            BinaryPrimitives.WriteSingleLittleEndian(header.AsSpan(12), labelOf(sample));
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), sample + 1);
            file.Position = (long)sample * RecordBytes;
            file.Write(header);
        }
    }

    private static string WriteIndex(string records, int images, int people, Func<int, int> labelOf)
    {
        string index = IndexedDataset.PathOf(records);
        new DatasetIndexContent
        {
            Samples = images,
            LabelOf = labelOf,
            SizeOf = _ => RecordBytes - HeaderBytes,
            NameOf = _ => "",
            Layout = new SampleLayout([records], i => (0, (long)i * RecordBytes)) { KeyOf = i => i + 1L },
            People = [.. Enumerable.Range(0, people).Select(person => person.ToString(CultureInfo.InvariantCulture))],
            Digest = new byte[32],
        }.Write(index);
        return index;
    }
}
