namespace UniFace.Vision.Detection;

/// <summary>
/// Maps the face mesh to the five landmarks of the alignment template, which are those of YuNet: the mesh's corners of the eyes and mouth say
/// where they are, but not exactly the points that detectors call eyes and nose. A similarity transform of 27 points of the mesh to their mean
/// positions is a frame; in it the five landmarks are a linear function of the 27 points. 'uniface bench landmarks' fits it on CelebA
/// (bench/UniFace.Benchmarks/Detection/LandmarkFit.cs) and writes face-mesh-landmarks.json, a resource of this assembly.
/// </summary>
internal sealed class FaceMeshLandmarks
{
    /// <summary>The used points of the mesh, in mirrored pairs (left in the image first), then those on the middle line.</summary>
    internal static readonly (int Left, int Right)[] Pairs =
    [
        (33, 263), (133, 362), (159, 386), (145, 374), (105, 334), (107, 336), (98, 327), (129, 358), (61, 291), (234, 454), (172, 397),
        (1, 1), (6, 6), (13, 13), (14, 14), (152, 152),
    ];

    /// <summary>Indices of the 27 points in the mesh.</summary>
    internal static readonly int[] Used = [.. Pairs.SelectMany(pair => pair.Left == pair.Right ? new[] { pair.Left } : [pair.Left, pair.Right])];

    private static readonly Lazy<FaceMeshLandmarks> Fitted = new(Load);

    private readonly float[] constant;
    private readonly float[][] matrix;

    /// <summary>Creates a map.</summary>
    /// <param name="mean">Mean positions of the 27 points in the frame.</param>
    /// <param name="constant">[10]: the five landmarks of the mean face, x and y.</param>
    /// <param name="matrix">[10][54]: the effect of the offsets x, y of each of the 27 points.</param>
    internal FaceMeshLandmarks(Point[] mean, float[] constant, float[][] matrix) => (Mean, this.constant, this.matrix) = (mean, constant, matrix);

    /// <summary>Mean positions of the 27 points in the frame.</summary>
    internal Point[] Mean { get; }

    /// <summary>The map in this assembly.</summary>
    public static FaceMeshLandmarks Default => Fitted.Value;

    /// <summary>The 27 points of a face, averaged over a look and a look at the mirrored crop.</summary>
    /// <param name="plain">The mesh of the crop.</param>
    /// <param name="mirrored">The mesh of the mirrored crop, in pixels of the photo: its left is the photo's right.</param>
    public static Point[] Select(MeshFace plain, MeshFace mirrored)
    {
        Point[] points = new Point[Used.Length];
        int at = 0;
        foreach ((int left, int right) in Pairs)
        {
            points[at++] = Middle(plain.Points[left], mirrored.Points[right]);
            if (left != right)
            {
                points[at++] = Middle(plain.Points[right], mirrored.Points[left]);
            }
        }

        return points;

        static Point Middle(Point a, Point b) => new((a.X + b.X) / 2, (a.Y + b.Y) / 2);
    }

    /// <summary>The five landmarks, in the coordinates of the 27 points.</summary>
    /// <exception cref="UniFaceException">All points are in one place.</exception>
    public FaceLandmarks ToFive(ReadOnlySpan<Point> points)
    {
        SimilarityTransform frame = SimilarityTransform.Fit(points, Mean), back = frame.Inverse();
        Span<float> values = stackalloc float[10];
        constant.CopyTo(values);
        for (int p = 0; p < points.Length; p++)
        {
            Point at = frame.Apply(points[p]);
            for (int v = 0; v < values.Length; v++)
            {
                values[v] += (matrix[v][2 * p] * (at.X - Mean[p].X)) + (matrix[v][(2 * p) + 1] * (at.Y - Mean[p].Y));
            }
        }

        Span<Point> five = stackalloc Point[5];
        for (int p = 0; p < five.Length; p++)
        {
            five[p] = back.Apply(new Point(values[2 * p], values[(2 * p) + 1]));
        }

        return new FaceLandmarks(five[0], five[1], five[2], five[3], five[4]);
    }

    /// <summary>Writes the map.</summary>
    internal string ToJson() => JsonSerializer.Serialize(
        new FaceMeshFit(
            [.. Mean.SelectMany(point => new[] { Round(point.X), Round(point.Y) })],
            [.. constant.Select(Round)],
            [.. matrix.Select(row => row.Select(Round).ToArray())]),
        FaceMeshJson.Default.FaceMeshFit);

    private static float Round(float value) => MathF.Round(value, 4);

    private static FaceMeshLandmarks Load()
    {
        using Stream stream = typeof(FaceMeshLandmarks).Assembly.GetManifestResourceStream("face-mesh-landmarks.json")!;
        FaceMeshFit map = JsonSerializer.Deserialize(stream, FaceMeshJson.Default.FaceMeshFit)!;
        return new FaceMeshLandmarks([.. map.Mean.Chunk(2).Select(xy => new Point(xy[0], xy[1]))], map.Constant, map.Matrix);
    }
}

internal sealed record FaceMeshFit(float[] Mean, float[] Constant, float[][] Matrix);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(FaceMeshFit))]
internal sealed partial class FaceMeshJson : JsonSerializerContext;
