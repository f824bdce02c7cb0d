using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using UniFace.Data;
using UniFace.Data.Identity;
using UniFace.Data.Pairs;
using UniFace.Packages;
using UniFace.TestSupport;

namespace UniFace.Tests.Data;

/// <summary>Readers of data and packages read or refuse damaged files and throw no other exception.</summary>
public sealed class ReaderFuzzTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.Ustar)]
    public void Tar(TarEntryFormat format) => Fuzzer.Run([Archive(format)], bytes =>
    {
        string path = folder.Write("s.tar", bytes);
        using FaceDataset data = FaceDatasets.Open(path);
        ReadAll(data);
    });

    [Fact]
    public void Tar_of_photos() => Fuzzer.Run([Archive(TarEntryFormat.Pax)], bytes =>
    {
        using PhotoSet photos = PhotoSet.Open(folder.Write("p.tar", bytes));
        for (int i = 0; i < Math.Min(photos.Names.Count, 10); i++)
        {
            photos.Read(i);
        }
    });

    [Theory]
    [InlineData("train.rec")]
    [InlineData("train.idx")]
    [InlineData("property")]
    public void RecordIO(string file)
    {
        RecordIOWriter writer = new();
        writer.AddRange(0, 5, 7);
        for (int i = 1; i < 5; i++)
        {
            writer.AddImage(i, [0xFF, 0xD8, 1, 2, 3, 4, 5], i / 3);
        }

        writer.AddRange(5, 1, 3).AddRange(6, 3, 5).Save(folder.Root, "2,112,112");
        Fuzzer.Run([File.ReadAllBytes(folder[file])], bytes =>
        {
            folder.Write(file, bytes);
            using FaceDataset data = FaceDatasets.Open(folder.Root);
            ReadAll(data);
        });
    }

    [Fact]
    public void RecordIO_without_an_index()
    {
        RecordIOWriter writer = new RecordIOWriter().AddRange(0, 4, 4).AddImage(
            1, [0xFF, 0xD8, 1], 0).AddImage(2, [0xFF, 0xD8, 2], 1).AddImage(3, [0xFF, 0xD8, 3], 1);
        Fuzzer.Run([writer.Records], bytes =>
        {
            using FaceDataset data = FaceDatasets.Open(folder.Write("lost.rec", bytes));
            ReadAll(data);
        });
    }

    [Fact]
    public void Zip()
    {
        using MemoryStream stream = new();
        using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (string name in new[] { "Ann/1.jpg", "Bob/1.jpg", "Bob/2" })
            {
                using Stream entry = zip.CreateEntry(name).Open();
                entry.Write([0xFF, 0xD8, 0xFF, 1, 2, 3]);
            }
        }

        Fuzzer.Run([stream.ToArray()], bytes =>
        {
            using FaceDataset data = FaceDatasets.Open(folder.Write("s.zip", bytes));
            ReadAll(data);
        });
    }

    [Fact]
    public void Compressed_tar()
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Archive(TarEntryFormat.Pax));
        }

        Fuzzer.Run([stream.ToArray()], bytes =>
        {
            using FaceDataset data = FaceDatasets.Open(folder.Write("s.tgz", bytes));
            ReadAll(data);
        });
    }

    [Fact]
    public void Tar_shards()
    {
        folder.Write("shards/0.tar", Archive(TarEntryFormat.Ustar, "other-"));
        Fuzzer.Run([Archive(TarEntryFormat.Ustar)], bytes =>
        {
            folder.Write("shards/1.tar", bytes);
            using FaceDataset data = FaceDatasets.Open(folder["shards"]);
            ReadAll(data);
        });
    }

    [Fact]
    public void Lists_of_images()
    {
        folder.Write("a/1.jpg", [1]);
        Fuzzer.Run(["0\t0\ta/1.jpg\n1\t1.000000\ta/1.jpg\n"u8.ToArray()], bytes =>
        {
            using FaceDataset data = FaceDatasets.Open(folder.Write("images.lst", bytes));
            _ = Enumerable.Range(0, Math.Min(data.Samples.Count, 10)).Sum(data.SizeOf);
            ReadAll(data);
        });
    }

    [Theory]
    [InlineData("train.rec", "train.ufindex")]
    [InlineData("set.tar", "set.tar.ufindex")]
    public void Index(string set, string index)
    {
        new RecordIOWriter().AddImage(1, [0xFF, 0xD8, 1], 0).AddImage(2, [0xFF, 0xD8, 2], 1).AddImage(3, [0xFF, 0xD8, 3], 1).Save(folder.Root);
        folder.Write("set.tar", Archive(TarEntryFormat.Pax));
        DatasetIndexBuilder.Build(folder[set]);
        Fuzzer.Run([File.ReadAllBytes(folder[index])], bytes =>
        {
            if (bytes.Length >= SHA256.HashSizeInBytes && bytes[^1] % 4 != 0)
            {
                SHA256.HashData(bytes.AsSpan(0, bytes.Length - SHA256.HashSizeInBytes), bytes.AsSpan(bytes.Length - SHA256.HashSizeInBytes));
            }

            folder.Write(index, bytes);
            using FaceDataset data = FaceDatasets.Open(folder[set]);
            FaceDatasetCheck.Require(data);
            ReadAll(data);
        });
    }

    [Fact]
    public void Hashes_of_contents()
    {
        using ListDataset data = new([3, 4]);
        using (ContentHashes hashes = ContentHashes.Open(folder["data.hashes"], data, new string('0', 64)))
        {
            hashes.ReadMissing(cancellationToken: TestContext.Current.CancellationToken);
            hashes.Commit();
        }

        Fuzzer.Run([File.ReadAllBytes(folder["data.hashes"])], bytes =>
        {
            using ContentHashes hashes = ContentHashes.Open(folder.Write("data.hashes", bytes), data, new string('0', 64));
            hashes.ReadMissing();
            Assert.Equal(64, hashes.Combine().Length);
            hashes.Add(1, SHA256.HashData(data.Read(1)));
        });
    }

    [Fact]
    public void Lists_of_paths() => Fuzzer.Run(
        ["a/1.jpg,b/2.jpg,1\n\"a,\"\"1\",b,0\n"u8.ToArray(), "a/1.jpg\tb/2.jpg\t1\nc d 0\n"u8.ToArray()],
        bytes => PathPairs.TryRead(folder.Write("pairs.csv", bytes)));

    [Fact]
    public void Bin() => Fuzzer.Run(
        [.. PickleFixtures.Good.Values.Append(PickleFixtures.Shared).Select(Convert.FromBase64String)], bytes => PairBin.Parse("x.bin", bytes));

    [Fact]
    public void Pairs_files() => Fuzzer.Run(
        [Encoding.UTF8.GetBytes("2\t2\nAnn\t1\t2\nBob\t1\t3\nAnn\t1\tBob\t2\nAnn\t2\tCy\t1\nAnn\t1\t2\nBob\t1\t3\nAnn\t1\tBob\t2\nAnn\t2\tCy\t1\n")],
        bytes => LfwPairs.Read(folder.Write("pairs.txt", bytes)));

    [Fact]
    public void Package_manifest()
    {
        folder.Write("model.onnx", [1, 2, 3]);
        ModelManifest manifest = new()
        {
            EmbeddingSize = 8,
            OnnxSha256 = UniFace.IO.Sha256.HashFile(folder["model.onnx"]),
            Licence = "CC0",
            Training = new TrainingProvenance { Loss = "uce", Backbone = "m", DataHash = "0", Seed = 1 },
        };
        Fuzzer.Run([JsonSerializer.SerializeToUtf8Bytes(manifest, ModelManifest.Json)], bytes =>
        {
            folder.Write("model.json", bytes);
            ModelPackage.Open(folder.Root);
        });
    }

    [Fact]
    public void Calibration_of_a_package()
    {
        Calibration good = new()
        {
            FlipSum = false,
            Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = 1000 },
            Created = DateTimeOffset.UnixEpoch,
            Entries = [new CalibrationEntry { FalseMatchRate = 0.01, Supported = true, Threshold = 0.77, MeasuredFalseMatchRate = 0.009 }],
            Curve = [new CalibrationPoint(0.77, 0.009, 0.9), new CalibrationPoint(0.5, 0.1, 0.99)],
        };
        Fuzzer.Run([Encoding.UTF8.GetBytes(good.ToJson())], bytes =>
        {
            Calibration read = Calibration.Load(folder.Write("calibration.json", bytes));
            Assert.InRange(read.FalseMatchRateAt(0.6), 0, 1);
            read.ThresholdAt(0.01);
        });
    }

    [Fact]
    public void Hashes_of_training_images()
    {
        TrainingFingerprint trained = new();
        trained.Add("Ann Lee", [1, 2, 3]);
        trained.Save(folder["training.hashes"]);
        Fuzzer.Run([File.ReadAllBytes(folder["training.hashes"])], bytes => TrainingFingerprint.Load(folder.Write("training.hashes", bytes)));
    }

    [Fact]
    public void Marks_of_crops()
    {
        byte[] jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xD9], png = [0x89, .. "PNG\r\n\u001a\n"u8, .. new byte[25]];
        Fuzzer.Run([CropSource.Write(jpeg, new string('a', 64)), CropSource.Write(png, new string('a', 64))], bytes => CropSource.Read(bytes));
    }

    private static void ReadAll(FaceDataset data)
    {
        for (int i = 0; i < Math.Min(data.Samples.Count, 10); i++)
        {
            Assert.InRange(data.Samples[i].Label, 0, data.People.Count - 1);
            data.Read(i);
        }
    }

    private static byte[] Archive(TarEntryFormat format, string prefix = "")
    {
        using MemoryStream stream = new();
        using (TarWriter writer = new(stream, format, leaveOpen: true))
        {
            string third = format == TarEntryFormat.Ustar ? "x" : new string('x', 150);
            string[] names = [prefix + "Ann/1.jpg", prefix + "Ann/2.jpg", $"{prefix}Bob/{third}.jpg"];
            foreach (string name in names)
            {
                TarEntry entry = format switch
                {
                    TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new UstarTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = new MemoryStream([0xFF, 0xD8, 1, 2, 3]);
                writer.WriteEntry(entry);
            }
        }

        return stream.ToArray();
    }
}
