using System.Formats.Tar;
using CsCheck;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests;

/// <summary>Faces are found at every size, position and rotation that the detectors promise, in pixels of the photo.</summary>
public class DetectionTests
{
    [Fact]
    public void Suppression_keeps_the_best_of_each_group_of_overlapping_boxes() =>
        Gen.Select(
            Gen.Float[0, 100],
            Gen.Float[0, 100],
            Gen.Float[5, 40],
            Gen.Float[0, 1],
            (x, y, side, score) => (Box: new FaceBox(x, y, side, side), Score: score)).List[0, 30].Sample(items =>
        {
            List<(FaceBox Box, float Score)> kept = NonMaximumSuppression.Select(items, item => item.Box, item => item.Score, 0.3f);
            Assert.Equal(kept.OrderByDescending(item => item.Score), kept);
            for (int i = 0; i < kept.Count; i++)
            {
                for (int j = 0; j < i; j++)
                {
                    Assert.True(kept[i].Box.Overlap(kept[j].Box) <= 0.3f);
                }
            }

            // Every dropped item overlaps a kept one that is at least as good.
            Assert.All(
                items,
                item => Assert.True(kept.Contains(item) || kept.Exists(better => better.Score >= item.Score && better.Box.Overlap(item.Box) > 0.3f)));
        });

    [Fact]
    public void Overlap_is_intersection_over_union()
    {
        Assert.Equal(1, new FaceBox(0, 0, 10, 10).Overlap(new FaceBox(0, 0, 10, 10)), 1e-6f);
        Assert.Equal(1f / 3, new FaceBox(0, 0, 10, 10).Overlap(new FaceBox(5, 0, 10, 10)), 1e-6f);
        Assert.Equal(0, new FaceBox(0, 0, 10, 10).Overlap(new FaceBox(10, 0, 10, 10)));
    }

    [Fact]
    public void BlazeFace_boxes_and_points_are_relative_to_the_center_of_their_cell()
    {
        // Anchor 1 of cell (row 2, column 3) of a grid of 8 with 6 anchors per cell over 256 pixels: its center is (112, 80).
        float[] scores = new float[8 * 8 * 6];
        Array.Fill(scores, -20f);
        float[] boxes = new float[scores.Length * 16];
        int at = (((2 * 8) + 3) * 6) + 1;
        scores[at] = 0; // The sigmoid of 0 is 0.5.
        float[] box = [4, -6, 40, 50, .. Enumerable.Range(0, 12).Select(i => (float)i)];
        box.CopyTo(boxes, at * 16);
        BlazeFace face = Assert.Single(BlazeFaceNetwork.Decode(scores, boxes, 8, 6, 256, 0.5f));
        Assert.Equal(0.5f, face.Score);
        Assert.Equal(new Point(112 + 4 - 0.5f, 80 - 6 - 0.5f), face.Center);
        Assert.Equal(new FaceBox(115.5f - 20, 73.5f - 25, 40, 50), face.Box);
        Assert.Equal(new Point(111.5f, 79.5f + 1), face.Points[0]);
        Assert.Equal(new Point(111.5f + 10, 79.5f + 11), face.Points[5]);
        Assert.Empty(BlazeFaceNetwork.Decode(scores, boxes, 8, 6, 256, 0.51f));
    }

    [Fact]
    public void A_detection_with_a_NaN_score_is_dropped()
    {
        float[] scores = [float.NaN, float.NaN];
        Assert.Empty(BlazeFaceNetwork.Decode(scores, new float[32], 1, 2, 256, 0f));
        Assert.Empty(YuNetDetector.Decode([float.NaN], [1], new float[4], new float[10], 1, 8, 0f));
    }

    [Fact]
    public void YuNet_boxes_scale_with_the_stride_and_the_score_is_a_geometric_mean()
    {
        float[] cls = [0, 0.81f, 0, 0], obj = [1, 0.25f, 1, 1], boxes = new float[16], points = new float[40];
        new float[] { 0.5f, 0.25f, MathF.Log(3), MathF.Log(4) }.CopyTo(boxes, 4);
        points[10] = 0.5f;
        points[11] = 1f;
        DetectedFace face = Assert.Single(YuNetDetector.Decode(cls, obj, boxes, points, columns: 2, stride: 16, minScore: 0.4f));
        Assert.Equal(0.45f, face.Score, 1e-5f);
        Assert.Equal(24, face.Width / 2, 1e-3f);
        Assert.Equal(64, face.Height, 1e-3f);
        Assert.Equal(((1 + 0.5f) * 16) - 24, face.X, 1e-3f);
        Assert.Equal((0.25f * 16) - 32, face.Y, 1e-3f);
        Assert.Equal(new Point(24, 16), face.Landmarks.LeftEye);
    }

    [Fact]
    public void Every_face_that_fits_in_a_window_lies_completely_in_one() =>
        Gen.Select(Gen.Int[100, 3000], Gen.Int[100, 3000], Gen.Double[0, 1], Gen.Double[0, 1], Gen.Double[0.01, 0.49]).Sample((width, height, u, v, share) =>
        {
            List<SearchWindow> windows = [SearchWindow.Whole(width, height), .. SearchWindow.Tiles(width, height, 3, 256)];
            double side = share * windows[^1].Side;
            if (side > width || side > height)
            {
                return;
            }

            float x = (float)(u * (width - side)), y = (float)(v * (height - side));
            Assert.Contains(windows, w => w.Side == windows[^1].Side && Within(x, w.X, w.Side) && Within(y, w.Y, w.Side));

            bool Within(double from, double center, double length) =>
                from >= center - (length / 2) - 0.51 && from + side <= center + (length / 2) + 0.51;
        });

    [Fact]
    public void A_small_photo_needs_one_window_and_a_large_one_at_most_59()
    {
        Assert.Empty(SearchWindow.Tiles(250, 250, 2, 256));
        Assert.Empty(SearchWindow.Tiles(511, 200, 2, 256));
        Assert.Equal(9, SearchWindow.Tiles(600, 600, 2, 256).Count());
        Assert.Equal(9 + 49, SearchWindow.Tiles(6000, 6000, 2, 256).Count());
    }

    [Fact]
    public void Mesh_landmarks_move_turn_and_scale_with_the_face()
    {
        FaceMeshLandmarks map = FaceMeshLandmarks.Default;
        Point[] points = [.. map.Mean.Select((p, i) => new Point(p.X + (i % 5) - 2, p.Y - (i % 3) + 1))];
        SimilarityTransform transform = new(1.7 * Math.Cos(0.6), 1.7 * Math.Sin(0.6), -30, 55);
        Point[] expected = Array.ConvertAll(map.ToFive(points).ToArray(), transform.Apply);
        Assert.All(expected.Zip(map.ToFive(Array.ConvertAll(points, transform.Apply)).ToArray()), pair =>
        {
            Assert.Equal(pair.First.X, pair.Second.X, 1e-2f);
            Assert.Equal(pair.First.Y, pair.Second.Y, 1e-2f);
        });
    }

    [Fact]
    public void Mesh_landmarks_of_the_mean_face_are_nearly_the_template()
    {
        FaceLandmarks five = FaceMeshLandmarks.Default.ToFive(FaceMeshLandmarks.Default.Mean), template = AlignmentTemplate.ArcFace112.Landmarks;
        Point[] fitted = Array.ConvertAll(five.ToArray(), new CropAligner().Fit(five).Apply);
        Assert.All(fitted.Zip(template.ToArray()), pair => Assert.InRange(double.Hypot(pair.First.X - pair.Second.X, pair.First.Y - pair.Second.Y), 0, 3));
    }

    [Fact]
    public void A_file_that_is_not_a_detector_is_refused_with_a_message()
    {
        string path = Path.Combine(Path.GetTempPath(), $"uniface-{Guid.NewGuid():N}.onnx");
        File.WriteAllText(path, "not a model");
        try
        {
            Refused.With("cannot load it as a model", () => FaceDetectors.Open(path));
            TinyOnnx.WriteEmbedder(path, 112, 112, 4);
            Refused.With("not a supported face detector", () => FaceDetectors.Open(path));
        }
        finally
        {
            File.Delete(path);
        }

        Refused.With("no such file", () => FaceDetectors.Open("/nowhere/yunet.onnx"));
    }

    [Fact]
    public void All_detectors_find_the_same_faces_on_real_photos()
    {
        string tar = SharedData.Require("data/lfw-deepfunneled-pairs.tar");
        string yunet = SharedData.Require("data/yunet_s_dynamic.onnx"), yunetFixed = SharedData.Require("data/yunet_s_640_640.onnx");
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        using IFaceDetector first = FaceDetectors.Open(), second = FaceDetectors.Open(yunet), third = FaceDetectors.Open(yunetFixed);
        CropAligner aligner = new();
        int photos = 0;
        foreach ((string name, byte[] bytes) in Entries(tar).Take(24))
        {
            RgbImage photo = new SkiaImageDecoder().Decode(bytes, name);
            SimilarityTransform? reference = null;
            foreach (IFaceDetector detector in new[] { second, third, first })
            {
                DetectedFace? face = MainFace.Select(detector.Detect(photo), photo.Width, photo.Height);
                Assert.True(face is not null, $"{detector.Name}: no face in {name}");
                SimilarityTransform fit = aligner.Fit(face.Landmarks);
                reference ??= fit;

                // The centers of the two crops differ by at most a ninth of the crop.
                (double x, double y) = reference.Value.Inverse().Then(fit).Apply(56, 56);
                Assert.True(double.Hypot(x - 56, y - 56) < 12, $"{detector.Name}: {name} is off by ({x - 56:F1}, {y - 56:F1}) pixels of 112");
            }

            photos++;
        }

        Assert.Equal(24, photos);
    }

    [Fact]
    public void Small_rotated_and_photo_filling_faces_are_found()
    {
        string tar = SharedData.Require("data/lfw-deepfunneled-pairs.tar");
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        using IFaceDetector detector = FaceDetectors.Open();
        (string name, byte[] bytes) = Entries(tar).First();
        RgbImage photo = new SkiaImageDecoder().Decode(bytes, name);
        DetectedFace plain = MainFace.Select(detector.Detect(photo), photo.Width, photo.Height)!;
        (string What, SimilarityTransform Transform, int Width, int Height)[] cases =
        [
            ("small in a large photo", new SimilarityTransform(0.8, 0, 1150, 700), 1800, 1200),
            ("turned by 25 degrees", new SimilarityTransform(Math.Cos(0.436), Math.Sin(0.436), 60, -40), 250, 250),
            ("filling the photo", new(2.4, 0, 125 - (2.4 * (plain.X + (plain.Width / 2))), 125 - (2.4 * (plain.Y + (plain.Height / 2)))), 250, 250),
        ];
        foreach ((string what, SimilarityTransform transform, int width, int height) in cases)
        {
            DetectedFace? face = MainFace.Select(detector.Detect(ImageWarp.Warp(photo, transform, width, height)), width, height);
            Assert.True(face is not null, $"no face {what}");
            Point wanted = transform.Apply(plain.Landmarks.Nose);
            double off = double.Hypot(face.Landmarks.Nose.X - wanted.X, face.Landmarks.Nose.Y - wanted.Y) / (transform.Scale * plain.Width);
            Assert.True(off < 0.15, $"{what}: the nose is off by {off:F2} of the face");
        }
    }

    [Fact]
    public void The_first_run_that_checks_the_execution_provider_runs_both_networks()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        FaceMeshDetector detector = (FaceMeshDetector)FaceDetectors.Open();
        detector.RunOnce();
        detector.Dispose();
        Assert.Throws<ObjectDisposedException>(detector.RunOnce);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_real_photo_gives_the_same_face_on_its_side_and_upside_down(bool yunet)
    {
        string tar = SharedData.Require("data/lfw-deepfunneled-pairs.tar"), model = SharedData.Require("data/yunet_s_dynamic.onnx");
        Assert.SkipWhen(!yunet && FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        using FacePipeline pipeline = new(new SkiaImageDecoder(), FaceDetectors.Open(yunet ? model : null));
        int same = 0, all = 0;
        foreach ((string name, byte[] bytes) in Entries(tar).Take(10))
        {
            RgbImage photo = new SkiaImageDecoder().Decode(bytes, name);
            DetectedFace upright = pipeline.Align(photo)!.Face!;
            Assert.True(upright.TurnedBy == 0, $"{name}: upright, but taken for turned by {upright.TurnedBy}");
            foreach (int degrees in (ReadOnlySpan<int>)[90, 150, 180, 270])
            {
                double angle = degrees * Math.PI / 180, middle = (photo.Width - 1) / 2.0, cos = Math.Cos(angle), sin = Math.Sin(angle);
                SimilarityTransform turn = new(cos, sin, middle - (cos * middle) + (sin * middle), middle - (sin * middle) - (cos * middle));
                DetectedFace? face = pipeline.Align(ImageWarp.Warp(photo, turn, photo.Width, photo.Height))?.Face;
                all++;
                same += face is not null && Off(turn, upright, face) < 0.3 ? 1 : 0;
            }
        }

        Assert.True(same >= all * 9 / 10, $"{same} of {all} turned photos gave the same face");

        // Mean error of the landmarks, relative to the distance between the eyes.
        static double Off(SimilarityTransform turn, DetectedFace was, DetectedFace now)
        {
            double eyes = double.Hypot(was.Landmarks.RightEye.X - was.Landmarks.LeftEye.X, was.Landmarks.RightEye.Y - was.Landmarks.LeftEye.Y);
            (FaceLandmarks a, FaceLandmarks b) = (was.Landmarks, now.Landmarks);
            return new[] { (a.LeftEye, b.LeftEye), (a.RightEye, b.RightEye), (a.RightMouth, b.RightMouth) }
                .Average(pair => double.Hypot(turn.Apply(pair.Item1).X - pair.Item2.X, turn.Apply(pair.Item1).Y - pair.Item2.Y)) / eyes;
        }
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Entries(string tar)
    {
        using TarReader reader = new(File.OpenRead(tar));
        while (reader.GetNextEntry(copyData: true) is TarEntry entry)
        {
            if (entry.DataStream is not null && entry.Name.EndsWith(".jpg", StringComparison.Ordinal))
            {
                using MemoryStream bytes = new();
                entry.DataStream.CopyTo(bytes);
                yield return (entry.Name, bytes.ToArray());
            }
        }
    }
}
