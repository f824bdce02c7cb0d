using System.Numerics;

namespace UniFace.Vision.Quality;

/// <summary>
/// Quality of one aligned face, measured without a model. Size and angles are those in the photo, and null for an image that was already
/// aligned; sharpness, brightness and contrast are measured in the center of the crop.
/// </summary>
/// <param name="EyeDistance">
/// Distance between the eyes in pixels of the photo, of a frontal face of the same size. An aligned 112x112 face has 35; a smaller one was enlarged.
/// </param>
/// <param name="Sharpness">Standard deviation of the Laplacian divided by that of the gray values: 0 is blank, about 0.2 soft, 1 noise.</param>
/// <param name="Brightness">Mean gray value, 0 to 255.</param>
/// <param name="Contrast">Standard deviation of the gray values, 0 to 127.</param>
/// <param name="Yaw">Turn to the right of the image in degrees (negative: left), estimated from the five landmarks.</param>
/// <param name="Pitch">Turn down in degrees (negative: up), estimated likewise.</param>
/// <param name="Roll">Clockwise tilt of the head in degrees, in the photo after quarter turns.</param>
/// <param name="Certainty">The detector's confidence in the face and its landmarks, 0 to 1.</param>
internal sealed record FaceQuality(
    double? EyeDistance, double Sharpness, double Brightness, double Contrast, double? Yaw, double? Pitch, double? Roll, double? Certainty)
{
    private static readonly QualityOptions Limits = new();

    // The tip of the nose is about 0.6 eye distances in front of the eyes (38 of 63 mm in adults), so a turn of the head moves it by
    // 0.6 tan(angle). The mouth protrudes as well, which halves the visible effect of a nod.
    private const double NoseDepth = 0.6;
    private const double NoseDepthOfNod = 0.3;

    // The position of the tip of the nose between the eyes (0) and the mouth (1): the median of 12,868 faces of LFW and CelebA.
    private const double NoseShare = 0.562;

    /// <summary>
    /// One figure for all, 0 to 1: the smallest of the figures of size, sharpness, light, contrast, pose and certainty. Each is 0.5 at the default limit
    /// for enrollment (<see cref="QualityOptions"/>), and 1 at twice a smallest value, or at half of a largest one or less.
    /// </summary>
    public double Overall
    {
        get
        {
            double light = Math.Min(AtLeast(Brightness, Limits.MinBrightness), AtLeast(255 - Brightness, 255 - Limits.MaxBrightness));
            double pose = Math.Min(AtMost(Yaw, Limits.MaxYaw), Math.Min(AtMost(Pitch, Limits.MaxPitch), AtMost(Roll, Limits.MaxRoll)));
            double detail = Math.Min(AtLeast(Sharpness, Limits.MinSharpness), AtLeast(Contrast, Limits.MinContrast));
            double[] figures = [light, pose, detail, AtLeast(EyeDistance, Limits.MinEyeDistance), Math.Clamp(Certainty ?? 1, 0, 1)];
            return figures.Min();

            static double AtLeast(double? value, double limit) => Math.Clamp((value ?? double.MaxValue) / (2 * limit), 0, 1);

            static double AtMost(double? value, double limit) => Math.Clamp(1.5 - (Math.Abs(value ?? 0) / limit), 0, 1);
        }
    }

    /// <summary>Measures a face.</summary>
    public static FaceQuality Measure(AlignedFace face)
    {
        AlignmentTemplate template = face.Template ?? AlignmentTemplate.ArcFace(face.Image.Width, face.Image.Height);
        (double sharpness, double brightness, double contrast) = Pixels(ToArcFace(face.Image, template));
        if (face.Face is null)
        {
            return new FaceQuality(null, sharpness, brightness, contrast, null, null, null, null);
        }

        (Complex eyes, Complex nose, Complex mouth) = InEyeAxes(face.Face.Landmarks);

        // From the scale of the alignment: in a profile the eyes are close to each other whatever its size.
        double distance = (template.Landmarks.RightEye.X - template.Landmarks.LeftEye.X) / face.PhotoToCrop.Scale;
        double roll = Math.IEEERemainder(Degrees(eyes.Phase) + face.Face.TurnedBy, 360);
        (double yaw, double pitch) = Pose(nose, mouth);
        return new FaceQuality(distance, sharpness, brightness, contrast, yaw, pitch, roll, face.Face.Score);
    }

    private static (double Yaw, double Pitch) Pose(Complex nose, Complex mouth)
    {
        if (!(mouth.Imaginary > 0))
        {
            return (90, 90); // The eyes coincide, or the mouth is beside or above them: the pose is unknown.
        }

        // The midline of the face goes from between the eyes to the mouth; a turn of the head moves the nose away from it.
        double share = nose.Imaginary / mouth.Imaginary;
        double mouthOfFrontal = InEyeAxes(AlignmentTemplate.ArcFace112.Landmarks).Mouth.Imaginary;
        double yaw = Math.Atan((nose.Real - (mouth.Real * share)) / NoseDepth);
        double pitch = Math.Atan((share - NoseShare) * mouthOfFrontal / NoseDepthOfNod);
        return (Degrees(yaw), Degrees(pitch));
    }

    /// <summary>
    /// The vector from the left to the right eye; nose and mouth in the axes of the head, from the middle of the eyes along it (real) and towards
    /// the mouth (imaginary), in eye distances.
    /// </summary>
    private static (Complex Eyes, Complex Nose, Complex Mouth) InEyeAxes(FaceLandmarks points)
    {
        Complex eyes = At(points.RightEye) - At(points.LeftEye), middle = Middle(points.LeftEye, points.RightEye);
        return (eyes, (At(points.Nose) - middle) / eyes, (Middle(points.LeftMouth, points.RightMouth) - middle) / eyes);

        static Complex At(Point point) => new(point.X, point.Y);

        static Complex Middle(Point a, Point b) => (At(a) + At(b)) / 2;
    }

    // Limits apply to ArcFace's crops: crops of another template show the face at another size and place.
    private static RgbImage ToArcFace(RgbImage crop, AlignmentTemplate template)
    {
        AlignmentTemplate arcFace = AlignmentTemplate.ArcFace112;
        return AlignmentTemplate.IsArcFace(template.Name)
            ? crop
            : ImageWarp.Warp(crop, new CropAligner(arcFace).Fit(template.Landmarks), arcFace.Width, arcFace.Height);
    }

    private static (double Sharpness, double Brightness, double Contrast) Pixels(RgbImage image)
    {
        // The center of an aligned face: from the brows to the chin, from cheek to cheek.
        int left = image.Width / 4, right = image.Width - left, top = image.Height * 3 / 10, bottom = image.Height * 9 / 10;
        double sum = 0, squares = 0, edges = 0, edgeSquares = 0;
        int count = 0;
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++, count++)
            {
                double gray = Gray(image, x, y);
                double laplacian = Gray(image, x - 1, y) + Gray(image, x + 1, y) + Gray(image, x, y - 1) + Gray(image, x, y + 1) - (4 * gray);
                sum += gray;
                squares += gray * gray;
                edges += laplacian;
                edgeSquares += laplacian * laplacian;
            }
        }

        double mean = sum / count, edgeMean = edges / count;
        double contrast = Math.Sqrt(Math.Max(0, (squares / count) - (mean * mean)));
        double detail = Math.Sqrt(Math.Max(0, (edgeSquares / count) - (edgeMean * edgeMean)));
        return (contrast > 0 ? detail / contrast : 0, mean, contrast);
    }

    // ITU-R BT.601 luma.
    private static double Gray(RgbImage image, int x, int y)
    {
        ReadOnlySpan<byte> pixel = image.Pixels.AsSpan(((y * image.Width) + x) * 3, 3);
        return (0.299 * pixel[0]) + (0.587 * pixel[1]) + (0.114 * pixel[2]);
    }

    private static double Degrees(double radians) => radians * 180 / Math.PI;
}
