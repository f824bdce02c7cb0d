using System.Text.Json;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests;

/// <summary>
/// A folder of photos becomes a folder of crops under the same names; the result counts every photo, the report names those left out, and a run that
/// is stopped leaves whole files and continues.
/// </summary>
public sealed class FaceAlignerTests : IDisposable
{
    private const int OffsetX = 24, OffsetY = 20; // Of the face in a photo: the crop is this part of the photo.

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-align-").FullName;

    private string Photos => Path.Combine(folder, "photos");

    private string Faces => Path.Combine(folder, "faces");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Each_photo_with_a_face_becomes_a_crop_under_its_name_and_the_others_are_counted_and_named()
    {
        RgbImage ann = TestImages.Smooth(160, 160);
        Write("Ann/1.png", ann);
        Write("Bob/2020/2.png", TestImages.Noise(160, 160, 2));
        Write("Bob/wall.png", TestImages.Noise(60, 60, 3));
        File.WriteAllText(Path.Combine(Photos, "Bob", "broken.jpg"), "no image");
        Count done = new();
        AlignmentResult result = FaceAligner.AlignFolder(Photos, Faces, Options(), done, TestContext.Current.CancellationToken);
        Assert.Equal((4, 2, 0, 1, 1), (result.Photos, result.Aligned, result.Existing, result.NoFace, result.Unreadable));
        Assert.Equal([1, 2, 3, 4], done.Values.Order());
        Assert.Equal(["Ann/1.png", "Bob/2020/2.png"], Crops());
        RgbImage crop = Read("Ann/1.png");
        for (int y = 0; y < crop.Height; y++)
        {
            int from = (((y + OffsetY) * ann.Width) + OffsetX) * 3;
            Assert.Equal(ann.Pixels.AsSpan(from, crop.Width * 3), crop.Pixels.AsSpan(y * crop.Width * 3, crop.Width * 3));
        }

        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(result.Report));
        Assert.True(report.RootElement.GetProperty("summary").GetProperty("complete").GetBoolean());
        Assert.Equal(
            [("Bob/broken.jpg", "unreadable"), ("Bob/wall.png", "no-face")],
            report.RootElement.GetProperty("skipped").EnumerateArray()
                .Select(entry => (entry.GetProperty("photo").GetString()!, entry.GetProperty("reason").GetString()!)).Order());
        Assert.NotNull(SkiaDecode(result.ContactSheet!));
    }

    [Fact]
    public async Task A_run_that_is_stopped_leaves_no_half_written_file_and_continues()
    {
        const int Many = 40;
        for (int i = 0; i < Many; i++)
        {
            Write($"person-{i % 4}/{i}.png", TestImages.Noise(160, 160, i));
        }

        using CancellationTokenSource stop = new();
        Count stopper = new() { At = 3, Then = stop.Cancel };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FaceAligner.AlignFolderAsync(Photos, Faces, Options(), stopper, stop.Token));
        string[] written = Crops();
        Assert.InRange(written.Length, 3, Many - 1);
        Assert.All(written, name => Assert.Equal((112, 112), (Read(name).Width, Read(name).Height)));
        Assert.Equal(
            ["align-report.json"],
            Directory.EnumerateFiles(Faces, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Faces, file).Replace('\\', '/'))
                .Except(written));
        using (JsonDocument report = JsonDocument.Parse(File.ReadAllText(Path.Combine(Faces, "align-report.json"))))
        {
            Assert.False(report.RootElement.GetProperty("summary").GetProperty("complete").GetBoolean());
        }

        AlignmentResult rest = await FaceAligner.AlignFolderAsync(Photos, Faces, Options(), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((Many, Many - written.Length, written.Length), (rest.Photos, rest.Aligned, rest.Existing));
        Assert.Equal(Many, Crops().Length);
    }

    [Fact]
    public void Crops_of_other_settings_are_not_mixed_and_the_photos_are_not_overwritten()
    {
        Write("Ann/1.png", TestImages.Noise(160, 160, 1));
        CancellationToken token = TestContext.Current.CancellationToken;
        FaceAligner.AlignFolder(Photos, Faces, Options(), cancellationToken: token);
        Refused.With("other settings", () => FaceAligner.AlignFolder(Photos, Faces, Options() with { MinFaceSize = 50 }, cancellationToken: token));
        Refused.With("photos", () => FaceAligner.AlignFolder(Photos, Photos, Options(), cancellationToken: token));
        Refused.With("nowhere", () => FaceAligner.AlignFolder(Path.Combine(folder, "nowhere"), Faces, Options(), cancellationToken: token));
    }

    private static AlignOptions Options() => new() { CustomDetector = new BySize(), Format = CropFormat.Png, Threads = 2 };

    private static RgbImage SkiaDecode(string path) => new SkiaImageDecoder().Decode(File.ReadAllBytes(path), path);

    private RgbImage Read(string name) => SkiaDecode(Path.Combine(Faces, name));

    private string[] Crops() =>
    [
        .. Directory.EnumerateFiles(Faces, "*.png", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Faces, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private void Write(string name, RgbImage photo)
    {
        string path = Path.Combine(Photos, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, ImageEncoder.Png(photo));
    }

    private sealed class Count : IProgress<int>
    {
        public List<int> Values { get; } = [];

        public int At { get; init; }

        public Action? Then { get; init; }

        public void Report(int value)
        {
            lock (Values)
            {
                Values.Add(value);
            }

            if (value == At)
            {
                Then?.Invoke();
            }
        }
    }

    /// <summary>Finds one face in each photo of 160 pixels, with the landmarks of the template at the offset.</summary>
    private sealed class BySize : IFaceDetector
    {
        public string Name => "by size";

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo)
        {
            if (photo.Width != 160)
            {
                return [];
            }

            FaceLandmarks points = AlignmentTemplate.ArcFace112.Landmarks.Map(point => new Point(point.X + OffsetX, point.Y + OffsetY));
            return [new DetectedFace(OffsetX, OffsetY, 112, 112, 0.99f, points)];
        }

        public void Dispose()
        {
        }
    }
}
