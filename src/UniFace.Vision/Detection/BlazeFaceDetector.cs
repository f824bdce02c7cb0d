using UniFace.Faces;
using UniFace.IO;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Detection;

/// <summary>
/// BlazeFace (Bazarevsky et al., 2019) made fit for photos. The network sees one square of 256 (or 128) pixels and finds
/// faces of a tenth of its side and more, so the photo is looked at whole and, where it is large, in overlapping tiles of
/// a half and a quarter of its longer side: faces down to about 5 % of the longer side (photos over 512 pixels) or 2.5 %
/// (over 1024) are found; for crowds smaller than that YuNet is the better choice. Each face is then looked at twice
/// more, turned upright and at the size the network likes, once as it is and once mirrored; its points are the mean of both,
/// and a face that the second look does not see is dropped. Thread-safe.
/// </summary>
public sealed class BlazeFaceDetector : IFaceDetector
{
    // A face fills this share of the square that it is looked at again in.
    private const double UprightShare = 0.3;
    private const int SmallestTile = 256;
    private const int MostTileLevels = 2;
    private const int MostFaces = 100;

    // The second look's points are within this share of the box from the first look's.
    private const double MaxShift = 0.2;
    private const float SureScore = 0.8f;

    // What the first look only suspects, the second may be sure of.
    private const float SuspectScore = 0.3f;

    private readonly BlazeFaceNetwork network;
    private readonly float minScore;
    private readonly float suspectScore;
    private readonly float maxOverlap;

    internal BlazeFaceDetector(OnnxSession session, string path, DetectorOptions options)
    {
        network = new BlazeFaceNetwork(session, path);
        minScore = options.MinScore ?? 0.5f;
        suspectScore = MathF.Min(minScore, SuspectScore);
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
        List<BlazeFace> seen = [];
        foreach (Window window in Windows(photo.Width, photo.Height))
        {
            seen.AddRange(network.Run(pyramid, Square(window, 0), suspectScore).Where(face => window.Holds(face, photo.Width, photo.Height)));
        }

        List<DetectedFace> faces = Confirm(pyramid, seen);
        if (faces.Count == 0)
        {
            // A face that fills the photo or is cut by its edge is found with black around it.
            foreach (double zoom in (ReadOnlySpan<double>)[1.6, 2.5])
            {
                faces = Confirm(pyramid, network.Run(pyramid, Square(Window.Whole(photo.Width, photo.Height, zoom), 0), suspectScore));
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

    /// <summary>Whole photo first, then tiles; neighbours overlap by half, so every face small enough for a tile is whole in one.</summary>
    internal static List<Window> Windows(int width, int height)
    {
        List<Window> windows = [Window.Whole(width, height, 1)];
        double longest = Math.Max(width, height);
        for (int level = 1; level <= MostTileLevels && longest / (1 << level) >= SmallestTile; level++)
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

        // Tiles are spread evenly from edge to edge; a single one is in the middle.
        static double Place(int step, int steps, double length, double side) =>
            steps == 1 ? (length - 1) / 2 : -0.5 + (side / 2) + (step * (length - side) / (steps - 1));
    }

    /// <summary>From the photo to the network's square: a window, turned by an angle about its center.</summary>
    private SimilarityTransform Square(Window window, double angle)
    {
        double scale = network.Size / window.Side, middle = (network.Size - 1) / 2.0;
        double a = scale * Math.Cos(angle), b = scale * Math.Sin(angle);
        return new SimilarityTransform(a, b, middle - ((a * window.X) - (b * window.Y)), middle - ((b * window.X) + (a * window.Y)));
    }

    /// <summary>Of what was seen once, the faces that a second look confirms, the most confident first.</summary>
    private List<DetectedFace> Confirm(ImagePyramid photo, List<BlazeFace> seen)
    {
        List<BlazeFace> first = NonMaximumSuppression.Keep(seen, face => face.Box, face => face.Score, maxOverlap);
        IEnumerable<DetectedFace> faces = first.Take(MostFaces).Select(face => LookAgain(photo, face)).OfType<DetectedFace>();
        return NonMaximumSuppression.Keep(faces, face => new FaceBox(face.X, face.Y, face.Width, face.Height), face => face.Score, maxOverlap);
    }

    private DetectedFace? LookAgain(ImagePyramid photo, BlazeFace face)
    {
        Point eye = face.Points[0], mouth = face.Points[3];
        if (!(Math.Abs(eye.X - mouth.X) + Math.Abs(eye.Y - mouth.Y) > 0.5 && float.IsFinite(face.Points.Sum(p => p.X + p.Y))))
        {
            return null; // All on one spot: no face, and nothing to turn upright.
        }

        (Window window, double angle) = Upright(face);
        SimilarityTransform square = Square(window, angle);
        BlazeFace? plain = Nearest(network.Run(photo, square, suspectScore), face);
        BlazeFace? mirrored = Nearest(network.Run(photo, square, suspectScore, mirrored: true), face);
        float score = Math.Max(plain?.Score ?? 0, mirrored?.Score ?? 0);
        if (score < minScore)
        {
            if (face.Score < MathF.Max(SureScore, minScore))
            {
                return null;
            }

            score = face.Score;
        }

        List<BlazeFace> looks = [.. new[] { plain, mirrored }.OfType<BlazeFace>()];
        looks = looks.Count > 0 ? looks : [face];
        Point[] points = new Point[BlazeFaceNetwork.PointCount];
        for (int p = 0; p < points.Length; p++)
        {
            points[p] = new Point(looks.Average(look => look.Points[p].X), looks.Average(look => look.Points[p].Y));
        }

        FaceBox box = face.Box;
        return new DetectedFace(box.X, box.Y, box.Width, box.Height, score, BlazeFaceLandmarks.Of(points));
    }

    /// <summary>The most confident face of a look whose eyes, nose and mouth are about where the first look had them; not a neighbour's.</summary>
    private static BlazeFace? Nearest(List<BlazeFace> look, BlazeFace first)
    {
        double reach = MaxShift * Math.Max(first.Width, first.Height);
        return look.Where(face => Enumerable.Range(0, 4).Average(p => double.Hypot(face.Points[p].X - first.Points[p].X, face.Points[p].Y - first.Points[p].Y)) < reach).MaxBy(face => face.Score);
    }

    /// <summary>The window and the turn that show a face upright: eyes level, the middle between eyes and mouth in the middle.</summary>
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
    /// <summary>The square about the whole photo, its side times a zoom.</summary>
    public static Window Whole(int width, int height, double zoom) => new((width - 1) / 2.0, (height - 1) / 2.0, Math.Max(width, height) * zoom);

    /// <summary>False for a face that an edge of the window cuts where the photo goes on; another window has it whole.</summary>
    public bool Holds(BlazeFace face, int photoWidth, int photoHeight)
    {
        double half = Side / 2, slack = 0.01 * Side;
        FaceBox box = face.Box;
        return (X - half < 0.5 || box.X >= X - half - slack)
            && (Y - half < 0.5 || box.Y >= Y - half - slack)
            && (X + half > photoWidth - 1.5 || box.X + box.Width <= X + half + slack)
            && (Y + half > photoHeight - 1.5 || box.Y + box.Height <= Y + half + slack);
    }
}
