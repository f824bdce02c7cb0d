using UniFace.Data;
using UniFace.Faces;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Benchmarks.Detection;

/// <summary>
/// Fits <see cref="FaceMeshLandmarks"/>: ridge regression of a reference detector's five landmarks on the mesh's points, with every face and its
/// mirror image, reweighted so that faces on which the two disagree count less. Of the people, every fourth is left out of the fit.
/// </summary>
internal static class LandmarkFit
{
    private const double Ridge = 2;
    private const int Passes = 4;
    private static readonly int[] MirroredFive = [1, 0, 2, 4, 3];

    /// <summary>A face: the mesh's points and the reference's five, in pixels of the photo.</summary>
    internal sealed record Sample(Point[] Points, Point[] Five);

    /// <summary>A fit and its errors; the map is the text of face-mesh-landmarks.json.</summary>
    internal sealed record Result(string Map, int Faces, double Error, int HeldOutFaces, double HeldOutError);

    /// <summary>Fits the map on three quarters of the people in photos (one folder per person), and measures it on the others too.</summary>
    public static Result Run(PhotoSet photos, IFaceDetector detector, IFaceDetector reference, CancellationToken stop)
    {
        string[] people = [.. photos.PeopleByFolder()];
        string[] names = [.. people.Distinct().Order(StringComparer.Ordinal)];
        ILookup<bool, int> heldOut = Enumerable.Range(0, people.Length).ToLookup(i => Array.BinarySearch(names, people[i], StringComparer.Ordinal) % 4 == 3);
        List<Sample> fitted = Collect(false), others = Collect(true);
        FaceMeshLandmarks map = Fit(fitted);
        return new Result(map.ToJson(), fitted.Count, MeanError(fitted), others.Count, MeanError(others));

        List<Sample> Collect(bool held) =>
            LandmarkFit.Collect(photos, [.. heldOut[held]], (FaceMeshDetector)detector, reference, stop.ThrowIfCancellationRequested);

        double MeanError(List<Sample> samples) => samples.Average(sample => Error(map.ToFive(sample.Points).ToArray(), sample.Five));
    }

    /// <summary>The faces of photos on which both detectors see the main face in the same place.</summary>
    public static List<Sample> Collect(PhotoSet photos, IReadOnlyList<int> indices, FaceMeshDetector detector, IFaceDetector reference, Action done)
    {
        SkiaImageDecoder decoder = new();
        Sample?[] samples = new Sample?[indices.Count];
        for (int i = 0; i < samples.Length; i++)
        {
            Photo photo = decoder.OpenPhoto(photos.Read(indices[i]), photos.Names[indices[i]]);
            if (MainFace.Select(reference.Detect(photo, FaceChoice.Largest), photo.Width, photo.Height) is DetectedFace main)
            {
                Point[] five = main.Landmarks.ToArray();
                double x = five.Average(p => p.X), y = five.Average(p => p.Y);
                MeshCandidate? near = detector.Find(photo, FaceChoice.Largest).MinBy(face => Distance(face, x, y));
                samples[i] = near is not null && Distance(near, x, y) < main.Width / 4 ? new Sample(near.Points, five) : null;
            }

            done();
        }

        return [.. samples.OfType<Sample>()];

        static double Distance(MeshCandidate face, double x, double y) =>
            double.Hypot(face.Points.Average(p => p.X) - x, face.Points.Average(p => p.Y) - y);
    }

    /// <summary>Fits the map.</summary>
    public static FaceMeshLandmarks Fit(IReadOnlyList<Sample> samples)
    {
        // Every face and its mirror image, in the template; the mean face is their mean.
        Point[] template = AlignmentTemplate.ArcFace112.Landmarks.ToArray();
        List<Sample> all = [.. samples.SelectMany(sample => new[] { sample, Mirror(sample) })];
        List<Point[]> upright = [.. all.Select(sample => Map(sample.Points, SimilarityTransform.Fit(sample.Five, template)))];
        Point[] mean = [.. Enumerable.Range(0, upright[0].Length).Select(p => new Point(upright.Average(u => u[p].X), upright.Average(u => u[p].Y)))];
        (double[] Inputs, double[] Outputs)[] rows = [.. all.Select(sample => Row(sample, mean))];
        double[] weights = new double[rows.Length];
        Array.Fill(weights, 1);
        double[][] solution = [];
        for (int pass = 0; pass < Passes; pass++)
        {
            solution = Solve(rows, weights);
            for (int r = 0; r < rows.Length; r++)
            {
                double error = Math.Sqrt(Enumerable.Range(0, 10).Sum(v => Square(rows[r].Outputs[v] - Predict(solution[v], rows[r].Inputs))) / 5);
                weights[r] = 1 / Math.Max(error, 0.5); // Towards the least sum of distances, not of squares.
            }
        }

        return new FaceMeshLandmarks(
            mean, [.. solution.Select(row => (float)row[0])], [.. solution.Select(row => row[1..].Select(value => (float)value).ToArray())]);
    }

    /// <summary>The mean distance of five landmarks from the reference's, per distance of the reference's eyes.</summary>
    public static double Error(ReadOnlySpan<Point> five, ReadOnlySpan<Point> reference)
    {
        double sum = 0;
        for (int p = 0; p < 5; p++)
        {
            sum += double.Hypot(five[p].X - reference[p].X, five[p].Y - reference[p].Y);
        }

        return sum / 5 / double.Hypot(reference[0].X - reference[1].X, reference[0].Y - reference[1].Y);
    }

    private static (double[] Inputs, double[] Outputs) Row(Sample sample, Point[] mean)
    {
        SimilarityTransform frame = SimilarityTransform.Fit(sample.Points, mean);
        Point[] points = Map(sample.Points, frame), five = Map(sample.Five, frame);
        double[] inputs = [1, .. points.Zip(mean).SelectMany(p => new double[] { p.First.X - p.Second.X, p.First.Y - p.Second.Y })];
        return (inputs, [.. five.SelectMany(p => new double[] { p.X, p.Y })]);
    }

    private static Sample Mirror(Sample sample)
    {
        Point[] points = new Point[sample.Points.Length];
        for (int at = 0, pair = 0; at < points.Length; pair++)
        {
            bool single = FaceMeshLandmarks.Pairs[pair].Left == FaceMeshLandmarks.Pairs[pair].Right;
            points[at] = Flip(sample.Points[single ? at : at + 1]);
            if (!single)
            {
                points[at + 1] = Flip(sample.Points[at]);
            }

            at += single ? 1 : 2;
        }

        return new Sample(points, [.. MirroredFive.Select(p => Flip(sample.Five[p]))]);

        static Point Flip(Point p) => p with { X = -p.X };
    }

    private static Point[] Map(Point[] points, SimilarityTransform transform) => Array.ConvertAll(points, transform.Apply);

    private static double Predict(double[] row, double[] inputs) => row.Zip(inputs).Sum(pair => pair.First * pair.Second);

    private static double Square(double value) => value * value;

    /// <summary>Weighted ridge regression for each output: Gaussian elimination of the normal equations. The constant is not shrunk.</summary>
    private static double[][] Solve((double[] Inputs, double[] Outputs)[] rows, double[] weights)
    {
        int size = rows[0].Inputs.Length, outputs = rows[0].Outputs.Length;
        double[,] system = new double[size, size + outputs];
        foreach (((double[] inputs, double[] targets), double weight) in rows.Zip(weights))
        {
            for (int i = 0; i < size; i++)
            {
                double scaled = weight * inputs[i];
                for (int j = 0; j < size; j++)
                {
                    system[i, j] += scaled * inputs[j];
                }

                for (int v = 0; v < outputs; v++)
                {
                    system[i, size + v] += scaled * targets[v];
                }
            }
        }

        double shrink = Ridge * rows.Length / 100;
        for (int i = 1; i < size; i++)
        {
            system[i, i] += shrink;
        }

        // The matrix is positive definite, so no row has to be exchanged.
        for (int pivot = 0; pivot < size; pivot++)
        {
            for (int i = 0; i < size; i++)
            {
                double factor = i == pivot ? 0 : system[i, pivot] / system[pivot, pivot];
                for (int j = pivot; factor != 0 && j < size + outputs; j++)
                {
                    system[i, j] -= factor * system[pivot, j];
                }
            }
        }

        return [.. Enumerable.Range(0, outputs).Select(v => Enumerable.Range(0, size).Select(i => system[i, size + v] / system[i, i]).ToArray())];
    }
}
