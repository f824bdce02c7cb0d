using UniFace.Faces;
using UniFace.Vision.Quality;

namespace UniFace.Vision.Tests.Quality;

/// <summary>Measured quality follows size, pose, light and focus, and each limit refuses a face for its own reason.</summary>
public sealed class EnrollmentGateTests
{
    // A head in millimeters: x to the right of the image, y down, z towards the camera; the origin is between the eyes.
    private static readonly (double X, double Y, double Z)[] Head = [(-31.5, 0, 0), (31.5, 0, 0), (0, 41, 38), (-24, 73, 0), (24, 73, 0)];

    private readonly EnrollmentGate gate = new();

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(-30)]
    [InlineData(50)]
    public void Yaw_is_that_of_a_head_turned_in_space(double degrees)
    {
        FaceQuality quality = FaceQuality.Measure(Face(Turned(degrees, 0, 0)));
        Assert.Equal(degrees, quality.Yaw!.Value, 2.5);
        Assert.Equal(Math.Abs(degrees) > 35, gate.Check(Face(Turned(degrees, 0, 0))).Any(f => f.Kind == QualityFaultKind.TurnedAway));
    }

    [Fact]
    public void Pitch_rises_as_a_head_nods_down_and_falls_as_it_looks_up()
    {
        double[] pitches = [.. new double[] { -30, -15, 0, 15, 30 }.Select(d => FaceQuality.Measure(Face(Turned(0, d, 0))).Pitch!.Value)];
        Assert.Equal(pitches.Order(), pitches);
        Assert.True(pitches[4] - pitches[0] > 30);
        Assert.All(pitches, p => Assert.InRange(p, -60, 60));
    }

    [Theory]
    [InlineData(15)]
    [InlineData(-70)]
    public void A_leaning_head_has_that_roll_and_neither_yaw_nor_pitch(double degrees)
    {
        FaceQuality quality = FaceQuality.Measure(Face(Turned(0, 0, degrees)));
        Assert.Equal(degrees, quality.Roll!.Value, 0.01);
        Assert.Equal(0, quality.Yaw!.Value, 0.01);
        Assert.Equal(FaceQuality.Measure(Face(Turned(0, 0, 0))).Pitch!.Value, quality.Pitch!.Value, 0.01);
        Assert.Equal(Math.Abs(degrees) > 45, gate.Check(quality).Any(f => f.Kind == QualityFaultKind.Leaning));
    }

    [Fact]
    public void The_eye_distance_is_that_in_the_photo_and_small_faces_are_refused()
    {
        FaceQuality large = FaceQuality.Measure(Face(Turned(0, 0, 0), scale: 2)), small = FaceQuality.Measure(Face(Turned(0, 0, 0), scale: 0.2));
        Assert.Equal(10, large.EyeDistance!.Value / small.EyeDistance!.Value, 1e-3);
        Assert.InRange(large.EyeDistance.Value, 110, 140); // 63 mm at 2 pixels per mm, fitted over the whole face.
        QualityFault fault = Assert.Single(gate.Check(small), f => f.Kind == QualityFaultKind.TooSmall);
        Assert.Contains("expected at least 20; come closer", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blur_darkness_glare_and_fog_are_each_named_and_a_plain_image_passes()
    {
        RgbImage plain = Texture(128, 60);
        Assert.Empty(Faults(plain));
        Assert.Equal([QualityFaultKind.Blurred], Faults(Blurred(plain)));
        Assert.Equal([QualityFaultKind.TooDark], Faults(Texture(30, 25)));
        Assert.Equal([QualityFaultKind.TooBright], Faults(Texture(230, 24)));
        Assert.Equal([QualityFaultKind.TooLittleContrast], Faults(Texture(128, 8)));
    }

    [Fact]
    public void Size_and_pose_of_an_aligned_image_are_unknown_and_not_checked()
    {
        FaceQuality quality = FaceQuality.Measure(new AlignedFace(Texture(128, 60), null, SimilarityTransform.Identity));
        Assert.Equal((null, null, null, null), (quality.EyeDistance, quality.Yaw, quality.Pitch, quality.Roll));
        Assert.Empty(gate.Check(quality));
    }

    [Fact]
    public void The_callers_limits_apply_and_a_limit_that_is_not_finite_is_refused()
    {
        FaceQuality quality = new(30, 0.3, 120, 40, 20, 0, 0, null);
        Assert.Empty(gate.Check(quality));
        EnrollmentGate strict = new(new QualityOptions { MinEyeDistance = 31, MaxYaw = 19 });
        Assert.Equal([QualityFaultKind.TooSmall, QualityFaultKind.TurnedAway], strict.Check(quality).Select(f => f.Kind));
        Assert.Throws<UniFaceException>(() => new EnrollmentGate(new QualityOptions { MaxYaw = double.NaN }));
    }

    /// <summary>Values up to three times the limits, on both sides of each.</summary>
    [Fact]
    public void The_overall_figure_is_below_one_half_exactly_if_the_gate_finds_a_fault()
    {
        Random random = new(1);
        int faulty = 0;
        for (int i = 0; i < 2000; i++)
        {
            FaceQuality quality = new(
                20 + (80 * random.NextDouble()), 0.13 + (0.4 * random.NextDouble()), 30 + (200 * random.NextDouble()), 12 + (40 * random.NextDouble()),
                (60 * random.NextDouble()) - 30, (40 * random.NextDouble()) - 20, (95 * random.NextDouble()) - 47, 0.5 + (random.NextDouble() / 2));
            bool fault = gate.Check(quality).Count > 0;
            faulty += fault ? 1 : 0;
            Assert.Equal(fault, quality.Overall < 0.5);
            Assert.InRange(quality.Overall, 0, 1);
        }

        Assert.InRange(faulty, 100, 1900);
    }

    [Fact]
    public void The_overall_figure_is_that_of_the_worst_property()
    {
        FaceQuality good = new(100, 0.5, 128, 60, 5, 5, 5, 1);
        Assert.Equal(1, good.Overall);
        Assert.Equal(0.75, (good with { EyeDistance = 30 }).Overall, 1e-9);
        Assert.Equal(0.25, (good with { Yaw = -1.25 * 35 }).Overall, 1e-9);
        Assert.Equal(0.6, (good with { Certainty = 0.6 }).Overall, 1e-9);
        Assert.Equal(0.5, (good with { Brightness = 225 }).Overall, 1e-9);
        Assert.Equal(1, new FaceQuality(null, 0.5, 128, 60, null, null, null, null).Overall);
    }

    private IEnumerable<QualityFaultKind> Faults(RgbImage image) => gate.Check(new AlignedFace(image, null, SimilarityTransform.Identity)).Select(f => f.Kind);

    private static AlignedFace Face(Point[] points, double scale = 2)
    {
        points = [.. points.Select(p => new Point((float)(p.X * scale), (float)(p.Y * scale)))];
        FaceLandmarks landmarks = new(points[0], points[1], points[2], points[3], points[4]);
        return new AlignedFace(Texture(128, 60), new DetectedFace(0, 0, 1, 1, 1, landmarks), new CropAligner().Fit(landmarks));
    }

    // Orthographic projection after rotations about y (to the right of the image), then x (down), then in the image.
    private static Point[] Turned(double yaw, double pitch, double roll)
    {
        (double sy, double cy) = Math.SinCos(yaw * Math.PI / 180);
        (double sp, double cp) = Math.SinCos(pitch * Math.PI / 180);
        (double sr, double cr) = Math.SinCos(roll * Math.PI / 180);
        return [.. Head.Select(p =>
        {
            double x = (p.X * cy) + (p.Z * sy), z = (p.Z * cy) - (p.X * sy);
            double y = (p.Y * cp) + (z * sp);
            return new Point((float)(200 + (x * cr) - (y * sr)), (float)(200 + (x * sr) + (y * cr)));
        })];
    }

    // Blocks of four pixels, alternately darker and brighter than a mean.
    private static RgbImage Texture(int mean, int amplitude)
    {
        RgbImage image = new(112, 112);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            int x = i / 3 % 112, y = i / 3 / 112;
            image.Pixels[i] = (byte)Math.Clamp(mean + (((x / 4) + (y / 4)) % 2 == 0 ? amplitude : -amplitude), 0, 255);
        }

        return image;
    }

    private static RgbImage Blurred(RgbImage image)
    {
        RgbImage blurred = new(112, 112);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            int x = i / 3 % 112;

            // Waves of 56 pixels have no detail at the size of a pixel.
            blurred.Pixels[i] = (byte)(128 + (60 * Math.Sin(x * Math.PI / 28)));
        }

        return blurred;
    }
}
