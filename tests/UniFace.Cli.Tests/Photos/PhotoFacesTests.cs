using UniFace.Data;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;
using UniFace.Vision.Photos;

namespace UniFace.Cli.Tests.Photos;

/// <summary>However a loop over photos ends, detector and model are not used after they are disposed.</summary>
public sealed class PhotoFacesTests : IDisposable
{
    private const int Photos = 200;
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public PhotoFacesTests()
    {
        byte[] photo = ImageEncoder.Png(new RgbImage(120, 120));
        for (int i = 0; i < Photos; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, $"{i:D3}.png"), photo);
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Consumer_that_throws_at_any_chunk_leaves_no_reader_running(int at)
    {
        Watched detector = new();
        Assert.Throws<InvalidOperationException>(() =>
        {
            using FacePipeline pipeline = new(new SkiaImageDecoder(), detector);
            using PhotoSet photos = PhotoSet.Open(folder);
            int chunks = 0;
            foreach (PhotoFaces[] chunk in PhotoFaces.ReadAll(photos, pipeline, 4, FaceChoice.Largest, CancellationToken.None))
            {
                Assert.All(chunk, photo => Assert.Single(photo.Faces));
                if (chunks++ == at)
                {
                    throw new InvalidOperationException();
                }
            }
        });
        Assert.Equal(0, detector.Running);
        Assert.Equal(0, detector.Misused);
    }

    [Fact]
    public void Photos_come_in_order_each_with_its_own_fault_and_no_more_are_read_ahead_than_a_chunk()
    {
        for (int i = 0; i < Photos; i += 7)
        {
            File.WriteAllText(Path.Combine(folder, $"{i:D3}.png"), "damaged");
        }

        Watched detector = new();
        using FacePipeline pipeline = new(new SkiaImageDecoder(), detector);
        using PhotoSet photos = PhotoSet.Open(folder);
        List<PhotoFaces> read = [];
        foreach (PhotoFaces[] chunk in PhotoFaces.ReadAll(photos, pipeline, 4, FaceChoice.Largest, TestContext.Current.CancellationToken))
        {
            read.AddRange(chunk);
            Thread.Sleep(50);
            Assert.True(detector.Detections <= read.Count + 64, $"{detector.Detections} photos are processed while {read.Count} are asked for");
        }

        Assert.Equal(photos.Names, read.Select(photo => photo.Name));
        Assert.All(read, photo => Assert.Equal(photo.Index % 7 == 0 ? 0 : 1, photo.Faces.Count));
        Assert.All(read.Where(photo => photo.Faces.Count == 0), photo => Assert.Contains("expected JPEG", photo.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Model_that_computes_NaN_prints_a_clear_error_and_exits_with_2()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        string made = Path.Combine(folder, "made"), model = Path.Combine(folder, "nan.onnx");
        string photos = Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName;
        CliProcess.Run("data", "make", made, "--people", "2", "--images", "1", "--photos").Expect(0);
        string photo = Directory.EnumerateFiles(made, "*.jpg", SearchOption.AllDirectories).First();
        for (int i = 0; i < 130; i++)
        {
            File.Copy(photo, Path.Combine(photos, $"{i:D3}.jpg"));
        }

        TinyOnnx.WriteEmbedder(model, 112, 112, 16, weight: float.NaN);
        Assert.Contains("is NaN", CliProcess.Run("embed", model, photos, "--out", Path.Combine(folder, "e.npy")).Expect(2).Error, StringComparison.Ordinal);
    }

    private sealed class Watched : IFaceDetector
    {
        private int running, detections;
        private int misused;
        private volatile bool disposed;

        public string Name => "watched";

        public int Running => running;

        public int Detections => detections;

        public int Misused => misused;

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo)
        {
            Interlocked.Increment(ref running);
            Interlocked.Increment(ref detections);
            Thread.Sleep(2);
            Interlocked.Add(ref misused, disposed ? 1 : 0);
            Interlocked.Decrement(ref running);
            return [new DetectedFace(10, 10, 100, 100, 0.99f, AlignmentTemplate.ArcFace112.Landmarks)];
        }

        public void Dispose() => disposed = true;
    }
}
