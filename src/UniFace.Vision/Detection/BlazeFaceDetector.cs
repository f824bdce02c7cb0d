namespace UniFace.Vision.Detection;

/// <summary>
/// BlazeFace (Bazarevsky et al., 2019), adapted to photos. The network sees one square of 256 (or 128) pixels and finds faces of at
/// least a tenth of its side. It therefore runs on the whole photo and, for large photos, on overlapping tiles of a half and a quarter of
/// the longer side. This finds faces down to about 5 % of the longer side (photos over 512 pixels) or 2.5 % (over 1024); for smaller
/// faces in crowds, use YuNet. Each face is then detected twice more in an upright crop of the best size, once mirrored: its landmarks are
/// the mean of both, and a face that is not confirmed is dropped. Thread-safe.
/// </summary>
public sealed class BlazeFaceDetector : IFaceDetector
{
    // The share of the second crop that the face fills.
    private const double UprightShare = 0.3;
    private const int MinTileSide = 256;
    private const int MaxTileLevels = 2;
    private const int MaxFaces = 100;

    // The landmarks of both detections differ by at most this share of the box.
    private const double MaxShift = 0.2;
    private const float SureScore = 0.8f;

    // Candidates of the first pass may have a lower score than confirmed faces.
    private const float CandidateScore = 0.3f;

    private readonly BlazeFaceNetwork network;
    private readonly float minScore;
    private readonly float candidateScore;
    private readonly float maxOverlap;

    internal BlazeFaceDetector(OnnxSession session, string path, DetectorOptions options)
    {
        network = new BlazeFaceNetwork(session, path);
        minScore = options.MinScore ?? 0.5f;
        candidateScore = MathF.Min(minScore, CandidateScore);
        maxOverlap = options.MaxOverlap;
        Name = $"blazeface {Sha256.HashFile(path)[..12]}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(RgbImage photo)
    {
        ArgumentNullException.ThrowIfNull(photo);
        ImagePyramid pyramid = new(photo);
        List<BlazeFace> candidates = [];
        foreach (Window window in Windows(photo.Width, photo.Height))
        {
            candidates.AddRange(network.Run(pyramid, Square(window, 0), candidateScore).Where(face => window.Contains(face, photo.Width, photo.Height)));
        }

        List<DetectedFace> faces = Confirm(pyramid, candidates);
        if (faces.Count == 0)
        {
            // A face that fills the photo or is cut off by its edge is found with black around it.
            foreach (double zoom in (ReadOnlySpan<double>)[1.6, 2.5])
            {
                faces = Confirm(pyramid, network.Run(pyramid, Square(Window.Whole(photo.Width, photo.Height, zoom), 0), candidateScore));
                if (faces.Count > 0)
                {
                    break;
                }
            }
        }

        return faces;
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => network.Dispose();

    /// <summary>The whole photo, then tiles. Neighbors overlap by half, so one tile holds the whole of every face that is small enough.</summary>
    internal static List<Window> Windows(int width, int height)
    {
        List<Window> windows = [Window.Whole(width, height, 1)];
        double longest = Math.Max(width, height);
        for (int level = 1; level <= MaxTileLevels && longest / (1 << level) >= MinTileSide; level++)
        {
            double side = longest / (1 << level);
            int columns = Steps(width, side), rows = Steps(height, side);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    windows.Add(new Window(Place(column, columns, width, side), Place(row, rows, height, side), side));
                }
            }
        }

        return windows;

        static int Steps(double length, double side) => length <= side ? 1 : (int)Math.Ceiling(((length - side) / (side / 2)) - 1e-9) + 1;

        // Tiles are spread evenly from edge to edge; a single tile is centered.
        static double Place(int step, int steps, double length, double side) =>
            steps == 1 ? (length - 1) / 2 : -0.5 + (side / 2) + (step * (length - side) / (steps - 1));
    }

    /// <summary>The transform from a window of the photo, rotated around its center, to the network's square.</summary>
    private SimilarityTransform Square(Window window, double angle)
    {
        double scale = network.Size / window.Side, middle = (network.Size - 1) / 2.0;
        double a = scale * Math.Cos(angle), b = scale * Math.Sin(angle);
        return new SimilarityTransform(a, b, middle - ((a * window.X) - (b * window.Y)), middle - ((b * window.X) + (a * window.Y)));
    }

    /// <summary>The candidates that a second detection confirms, the most confident first.</summary>
    private List<DetectedFace> Confirm(ImagePyramid photo, List<BlazeFace> candidates)
    {
        List<BlazeFace> first = NonMaximumSuppression.Select(candidates, face => face.Box, face => face.Score, maxOverlap);
        IEnumerable<DetectedFace> faces = first.Take(MaxFaces).Select(face => DetectAgain(photo, face)).OfType<DetectedFace>();
        return NonMaximumSuppression.Select(faces, face => new FaceBox(face.X, face.Y, face.Width, face.Height), face => face.Score, maxOverlap);
    }

    private DetectedFace? DetectAgain(ImagePyramid photo, BlazeFace face)
    {
        Point eye = face.Points[0], mouth = face.Points[3];
        if (!(Math.Abs(eye.X - mouth.X) + Math.Abs(eye.Y - mouth.Y) > 0.5 && float.IsFinite(face.Points.Sum(p => p.X + p.Y))))
        {
            return null; // All landmarks in one place: not a face, and without an angle.
        }

        (Window window, double angle) = Upright(face);
        SimilarityTransform square = Square(window, angle);
        BlazeFace? plain = Nearest(network.Run(photo, square, candidateScore), face);
        BlazeFace? mirrored = Nearest(network.Run(photo, square, candidateScore, mirrored: true), face);
        float score = Math.Max(plain?.Score ?? 0, mirrored?.Score ?? 0);
        if (score < minScore)
        {
            if (face.Score < MathF.Max(SureScore, minScore))
            {
                return null;
            }

            score = face.Score;
        }

        List<BlazeFace> found = [.. new[] { plain, mirrored }.OfType<BlazeFace>()];
        found = found.Count > 0 ? found : [face];
        Point[] points = new Point[BlazeFaceNetwork.PointCount];
        for (int p = 0; p < points.Length; p++)
        {
            points[p] = new Point(found.Average(f => f.Points[p].X), found.Average(f => f.Points[p].Y));
        }

        FaceBox box = face.Box;
        return new DetectedFace(box.X, box.Y, box.Width, box.Height, score, BlazeFaceLandmarks.ToFive(points));
    }

    /// <summary>The most confident detection whose eyes, nose and mouth are close to those of the first; a neighbor's are not.</summary>
    private static BlazeFace? Nearest(List<BlazeFace> found, BlazeFace first)
    {
        double reach = MaxShift * Math.Max(first.Width, first.Height);
        return found.Where(face => Enumerable.Range(0, 4).Average(p => Distance(face.Points[p], first.Points[p])) < reach).MaxBy(face => face.Score);

        static double Distance(Point a, Point b) => double.Hypot(a.X - b.X, a.Y - b.Y);
    }

    /// <summary>The window and the angle that show a face upright: eyes level, the point between eyes and mouth in the center.</summary>
    private static (Window Window, double Angle) Upright(BlazeFace face)
    {
        Point left = face.Points[0], right = face.Points[1], mouth = face.Points[3];
        double eyesX = (left.X + right.X) / 2.0, eyesY = (left.Y + right.Y) / 2.0;
        double eyes = double.Hypot(right.X - left.X, right.Y - left.Y), tall = double.Hypot(mouth.X - eyesX, mouth.Y - eyesY);
        double size = Math.Max(2.2 * Math.Max(eyes, 0.9 * tall), 2);
        return (new Window((eyesX + mouth.X) / 2, (eyesY + mouth.Y) / 2, size / UprightShare), -Math.Atan2(right.Y - left.Y, right.X - left.X));
    }
}

/// <summary>A square of the photo: center and side in pixels.</summary>
internal readonly record struct Window(double X, double Y, double Side)
{
    /// <summary>The square around the whole photo, with its side multiplied.</summary>
    public static Window Whole(int width, int height, double zoom) => new((width - 1) / 2.0, (height - 1) / 2.0, Math.Max(width, height) * zoom);

    /// <summary>False for a face that is cut by an edge of the window inside the photo; another window holds all of it.</summary>
    public bool Contains(BlazeFace face, int photoWidth, int photoHeight)
    {
        double half = Side / 2, slack = 0.01 * Side;
        FaceBox box = face.Box;
        return (X - half < 0.5 || box.X >= X - half - slack)
            && (Y - half < 0.5 || box.Y >= Y - half - slack)
            && (X + half > photoWidth - 1.5 || box.X + box.Width <= X + half + slack)
            && (Y + half > photoHeight - 1.5 || box.Y + box.Height <= Y + half + slack);
    }
}
