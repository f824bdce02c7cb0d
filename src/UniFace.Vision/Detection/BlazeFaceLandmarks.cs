using UniFace.Faces;

namespace UniFace.Vision.Detection;

/// <summary>
/// From BlazeFace's six points (eyes, nose, middle of the mouth, ears) to the five that faces are aligned by. BlazeFace
/// puts its points otherwise than the annotators of the alignment template did (the nose lower, the eyes further apart), and
/// where they lie to each other tells the head's pose, from which the corners of the mouth follow.
/// <para>
/// The six points are brought into a frame by the weighted similarity of the first four onto their mean places; in the
/// frame the five points are a linear function of the six. It was fitted by ridge regression (robust, mirrored pairs
/// added) on 5,120 CelebA photos against YuNet's landmarks; LFW had no part in it. On
/// people left out of the fit the alignment came to 3.3 pixels of 112 from YuNet's, where a plain fit of four points
/// onto the template comes to 4.7.
/// </para>
/// </summary>
internal static class BlazeFaceLandmarks
{
    /// <summary>Mean places of the six points in the frame.</summary>
    internal static readonly Point[] Mean =
    [
        new(36.786f, 52.420f), new(75.049f, 52.214f), new(56.049f, 76.099f), new(56.152f, 94.783f), new(16.315f, 60.068f), new(95.601f, 59.653f),
    ];

    // How far each of the first four points is to be trusted.
    private static readonly double[] Weights = [0.2750, 0.2750, 0.1468, 0.3031];

    // Mean places of the five points in the frame: x, y of the eyes, the nose, the corners of the mouth.
    private static readonly float[] Constant = [37.324f, 52.828f, 74.517f, 52.625f, 56.038f, 74.135f, 40.210f, 89.973f, 72.037f, 89.800f];

    // [10, 12]: what a shift of x, y of each of the six points from its mean place adds.
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

    /// <summary>The five landmarks, in the six points' own coordinates.</summary>
    /// <param name="points">Eyes, nose, mouth, ears; the image's left first.</param>
    /// <exception cref="UniFaceException">The points lie on one spot.</exception>
    public static FaceLandmarks Of(ReadOnlySpan<Point> points)
    {
        SimilarityTransform frame = SimilarityTransform.Fit(points[..4], Mean.AsSpan(0, 4), Weights);
        Span<float> shifts = stackalloc float[12];
        for (int p = 0; p < 6; p++)
        {
            Point at = frame.Apply(points[p]);
            shifts[2 * p] = at.X - Mean[p].X;
            shifts[(2 * p) + 1] = at.Y - Mean[p].Y;
        }

        SimilarityTransform back = frame.Inverse();
        Span<Point> five = stackalloc Point[5];
        for (int p = 0; p < 5; p++)
        {
            five[p] = back.Apply(new Point(Value(2 * p, shifts), Value((2 * p) + 1, shifts)));
        }

        return new FaceLandmarks(five[0], five[1], five[2], five[3], five[4]);
    }

    private static float Value(int row, ReadOnlySpan<float> shifts)
    {
        float sum = Constant[row];
        for (int i = 0; i < shifts.Length; i++)
        {
            sum += Matrix[row, i] * shifts[i];
        }

        return sum;
    }
}
