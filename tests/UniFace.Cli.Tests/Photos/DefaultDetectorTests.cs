using UniFace.Benchmarks.Detection;
using UniFace.Data;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Photos;

/// <summary>The default detector finds true faces wherever they are, and nothing else; its landmarks move with the face.</summary>
public sealed class DefaultDetectorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public DefaultDetectorTests() => Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Text_cloth_textures_and_landscapes_have_no_face()
    {
        using IFaceDetector detector = FaceDetectors.Open();
        for (int i = 0; i < 18; i++)
        {
            Assert.True(detector.Detect(FacelessCanvas.Draw(i)) is [], $"a face on {FacelessCanvas.Kind(i)} {i}");
        }
    }

    [Fact]
    public void Every_photo_of_photos_tar_gives_one_file_per_true_face()
    {
        string photos = SharedData.Require("data/photos.tar"), faces = Path.Combine(folder, "faces");
        CliProcess.Run("align", photos, faces, "--faces", "all").Expect(0);
        string[] files = [.. Directory.EnumerateFiles(faces, "*.jpg").Select(path => Path.GetFileName(path)!)];
        foreach ((string photo, int count) in new[] { ("portrait", 1), ("portrait-7mp", 1), ("family", 4), ("group-10mp", 31) })
        {
            Assert.Equal(count, files.Count(file => file.StartsWith(photo + ".", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void A_drawn_face_keeps_its_landmarks_when_the_photo_is_moved_scaled_turned_or_mirrored()
    {
        CliProcess.Run("data", "make", folder, "--people", "6", "--images", "1", "--photos").Expect(0);
        using PhotoSet set = PhotoSet.Open(folder);
        Check([.. set.Names.Select((name, i) => new SkiaImageDecoder().Decode(set.Read(i), name))]);
    }

    [Fact]
    public void A_real_face_keeps_its_landmarks_when_the_photo_is_moved_scaled_turned_or_mirrored()
    {
        using PhotoSet set = PhotoSet.Open(SharedData.Require("data/lfw-deepfunneled-pairs.tar"));
        Check([.. Enumerable.Range(0, 12).Select(i => new SkiaImageDecoder().Decode(set.Read(i * 500), set.Names[i * 500]))]);
    }

    private static void Check(IReadOnlyList<RgbImage> photos)
    {
        using IFaceDetector detector = FaceDetectors.Open();
        (string What, SimilarityTransform Transform)[] changes =
        [
            ("moved", new SimilarityTransform(1, 0, 60, 30)),
            ("enlarged", new SimilarityTransform(1.7, 0, 0, 0)),
            ("reduced", new SimilarityTransform(0.6, 0, 20, 10)),
            ("turned", new SimilarityTransform(Math.Cos(0.35), Math.Sin(0.35), 150, 0)),
            ("on its side", new SimilarityTransform(0, 1, photos[0].Height, 0)),
            ("upside down", new SimilarityTransform(-1, 0, photos[0].Width, photos[0].Height)),
            ("mirrored", SimilarityTransform.Identity),
        ];
        int kept = 0;
        foreach (RgbImage photo in photos)
        {
            DetectedFace? face = Main(photo);
            Assert.True(face is not null, "a photo without a face");
            foreach ((string what, SimilarityTransform transform) in changes)
            {
                bool mirrored = what == "mirrored";
                int width = mirrored ? photo.Width : (int)(photo.Width * transform.Scale) + 250;
                int height = mirrored ? photo.Height : (int)(photo.Height * transform.Scale) + 200;
                RgbImage changed = mirrored ? Mirror(photo) : ImageWarp.Warp(photo, transform, width, height);
                if (Main(changed) is DetectedFace again)
                {
                    Point[] expected = Array.ConvertAll(face.Landmarks.ToArray(), transform.Apply), found = again.Landmarks.ToArray();
                    if (mirrored)
                    {
                        expected = [.. new[] { 1, 0, 2, 4, 3 }.Select(p => expected[p] with { X = photo.Width - 1 - expected[p].X })];
                    }

                    kept += LandmarkFit.Error(found, expected) < 0.1 ? 1 : 0;
                }
            }
        }

        Assert.True(kept >= 0.9 * photos.Count * changes.Length, $"{kept} of {photos.Count * changes.Length} faces kept their landmarks");

        DetectedFace? Main(RgbImage photo) => MainFace.Select(detector.Detect(new Photo(photo), FaceChoice.Largest), photo.Width, photo.Height);
    }

    private static RgbImage Mirror(RgbImage image)
    {
        RgbImage mirrored = new(image.Width, image.Height);
        for (int at = 0; at < image.Width * image.Height; at++)
        {
            int x = at % image.Width;
            image.Pixels.AsSpan(3 * at, 3).CopyTo(mirrored.Pixels.AsSpan(3 * (at - x + image.Width - 1 - x)));
        }

        return mirrored;
    }
}
