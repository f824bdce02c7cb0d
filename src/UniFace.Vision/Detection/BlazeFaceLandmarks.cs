namespace UniFace.Vision.Detection;

/// <summary>
/// Maps BlazeFace's six points (eyes, nose, center of the mouth, ears) to the five landmarks of the alignment template. BlazeFace's points differ
/// from those of the template (the nose is lower, the eyes are further apart), and their relative positions depend on the pose of the
/// head, which determines the corners of the mouth.
/// <para>
/// A weighted similarity transform of the first four points onto their mean positions defines a frame; in this frame the five landmarks are a
/// linear function of the six points, fitted by robust ridge regression with mirrored pairs on 5,120 CelebA photos against YuNet's
/// landmarks (no LFW photos). On people outside the fit, alignment differs from YuNet's by 3.3 pixels of 112; a plain fit of four points
/// to the template differs by 4.7.
/// </para>
/// </summary>
internal static class BlazeFaceLandmarks
{
    /// <summary>Mean positions of the six points in the frame.</summary>
    internal static readonly Point[] Mean =
    [
        new(36.786f, 52.420f), new(75.049f, 52.214f), new(56.049f, 76.099f), new(56.152f, 94.783f), new(16.315f, 60.068f), new(95.601f, 59.653f),
    ];

    // Weights of the first four points in the fit.
    private static readonly double[] Weights = [0.2750, 0.2750, 0.1468, 0.3031];

    // Mean positions of the five landmarks in the frame: x, y of the eyes, the nose, the corners of the mouth.
    private static readonly float[] Constant = [37.324f, 52.828f, 74.517f, 52.625f, 56.038f, 74.135f, 40.210f, 89.973f, 72.037f, 89.800f];

    // [10, 12]: the effect of the offsets x, y of each of the six points from its mean position.
    private static readonly float[,] Matrix =
    {
        { 0.0912f, 0.0095f, -0.0891f, -0.0042f, 0.0188f, -0.0263f, -0.0111f, 0.0079f, 0.1388f, -0.0409f, -0.1303f, -0.0180f },
        { -0.0512f, -0.0037f, 0.0536f, 0.0044f, -0.0269f, -0.0098f, 0.0108f, 0.0042f, -0.0232f, 0.0068f, 0.0648f, -0.0163f },
        { -0.0896f, 0.0052f, 0.0917f, -0.0105f, 0.0194f, 0.0260f, -0.0113f, -0.0078f, -0.1308f, 0.0193f, 0.1395f, 0.0395f },
        { -0.0526f, 0.0049f, 0.0502f, -0.0042f, 0.0265f, -0.0104f, -0.0107f, 0.0044f, -0.0636f, -0.0158f, 0.0218f, 0.0061f },
        { -0.0161f, -0.0227f, -0.0159f, 0.0231f, 0.0485f, -0.0005f, 0.0056f, -0.0002f, -0.1131f, -0.0188f, -0.1125f, 0.0201f },
        { 0.0019f, 0.0247f, -0.0015f, 0.0245f, -0.0005f, -0.0433f, -0.0002f, -0.0237f, -0.0307f, 0.0066f, 0.0320f, 0.0061f },
        { 0.0843f, -0.0023f, -0.0865f, 0.0185f, -0.0284f, -0.0323f, 0.0158f, 0.0009f, 0.2215f, -0.0398f, -0.0214f, -0.0463f },
        { 0.0995f, 0.0341f, -0.0947f, 0.0418f, -0.0320f, -0.1423f, 0.0112f, 0.0001f, 0.0895f, 0.1243f, -0.0500f, 0.0862f },
        { -0.0856f, -0.0171f, 0.0832f, 0.0017f, -0.0277f, 0.0310f, 0.0156f, -0.0011f, -0.0203f, 0.0475f, 0.2209f, 0.0388f },
        { 0.0961f, 0.0409f, -0.1000f, 0.0352f, 0.0308f, -0.1430f, -0.0113f, 0.0002f, 0.0512f, 0.0852f, -0.0905f, 0.1248f },
    };

    /// <summary>The five landmarks, in the coordinates of the six points.</summary>
    /// <param name="points">Eyes, nose, mouth, ears; left in the image first.</param>
    /// <exception cref="UniFaceException">All points are in one place.</exception>
    public static FaceLandmarks ToFive(ReadOnlySpan<Point> points)
    {
        SimilarityTransform frame = SimilarityTransform.Fit(points[..4], Mean.AsSpan(0, 4), Weights);
        Span<float> offsets = stackalloc float[12];
        for (int p = 0; p < 6; p++)
        {
            Point at = frame.Apply(points[p]);
            offsets[2 * p] = at.X - Mean[p].X;
            offsets[(2 * p) + 1] = at.Y - Mean[p].Y;
        }

        SimilarityTransform back = frame.Inverse();
        Span<Point> five = stackalloc Point[5];
        for (int p = 0; p < 5; p++)
        {
            five[p] = back.Apply(new Point(Value(2 * p, offsets), Value((2 * p) + 1, offsets)));
        }

        return new FaceLandmarks(five[0], five[1], five[2], five[3], five[4]);
    }

    private static float Value(int row, ReadOnlySpan<float> offsets)
    {
        float sum = Constant[row];
        for (int i = 0; i < offsets.Length; i++)
        {
            sum += Matrix[row, i] * offsets[i];
        }

        return sum;
    }
}
