namespace UniFace.Faces;

/// <summary>The pixels of a crop that lie outside of the photo.</summary>
internal enum CropBorder
{
    /// <summary>Black: InsightFace, dlib and UniFace.</summary>
    Black,

    /// <summary>The nearest pixel of the photo.</summary>
    Replicate,
}

/// <summary>How a photo is sampled for a crop.</summary>
internal enum CropSampling
{
    /// <summary>Bilinear; if the photo is reduced, the mean of several samples per pixel.</summary>
    AntiAliased,

    /// <summary>Bilinear with one sample per pixel at any scale, like OpenCV's warpAffine.</summary>
    Bilinear,
}

/// <summary>The landmarks of an aligned face, and how the crop is sampled.</summary>
/// <param name="Name">Its name in a model's manifest.</param>
/// <param name="Width">Width of the aligned face in pixels.</param>
/// <param name="Height">Height of the aligned face in pixels.</param>
/// <param name="Landmarks">The five points in the aligned face.</param>
internal sealed record AlignmentTemplate(string Name, int Width, int Height, FaceLandmarks Landmarks)
{
    internal const string ArcFace112Name = "arcface-112";
    private const string ArcFaceFamily = "arcface-";

    /// <summary>The pixels outside of the photo.</summary>
    public CropBorder Border { get; init; }

    /// <summary>How the photo is sampled.</summary>
    public CropSampling Sampling { get; init; }

    /// <summary>Whether a name is that of ArcFace's template at some size.</summary>
    public static bool IsArcFace(string name) => name.StartsWith(ArcFaceFamily, StringComparison.Ordinal);

    /// <summary>The 112x112 template of ArcFace (InsightFace), the default.</summary>
    public static AlignmentTemplate ArcFace112 { get; } = new(
        ArcFace112Name,
        112,
        112,
        new FaceLandmarks(new(38.2946f, 51.6963f), new(73.5318f, 51.5014f), new(56.0252f, 71.7366f), new(41.5493f, 92.3655f), new(70.7299f, 92.2041f)));

    /// <summary>
    /// The template for faces of another size, by InsightFace's rules: squares with a multiple of 112 pixels scale it; squares with a multiple
    /// of 128 add margins of 8 pixels left and right and 16 below (scaled); 96x112 removes 8 pixels left and right.
    /// </summary>
    /// <exception cref="UniFaceException">There is no rule for the size.</exception>
    public static AlignmentTemplate ArcFace(int width, int height)
    {
        if (width == ArcFace112.Width && height == ArcFace112.Height)
        {
            return ArcFace112;
        }

        (float scale, float shift) = (width, height) switch
        {
            (96, 112) => (1f, -8f),
            ( > 0 and <= 4096, _) when width == height && width % 112 == 0 => (width / 112f, 0f),
            ( > 0 and <= 4096, _) when width == height && width % 128 == 0 => (width / 128f, 8f * width / 128f),
            _ => throw new UniFaceException(
                $"faces of {width}x{height}: there is no alignment for this size; expected 112x112, another square with a multiple of 112 or 128, or 96x112"),
        };
        return new AlignmentTemplate(
            Invariant($"{ArcFaceFamily}{(width == height ? width : "96x112")}"),
            width,
            height,
            ArcFace112.Landmarks.Map(p => new Point(p.X * scale + shift, p.Y * scale)));
    }
}
