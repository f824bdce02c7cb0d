using System.Diagnostics;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Benchmarks.Detection;

/// <summary>What a detector did on some photos.</summary>
/// <param name="Photos">The number of photos.</param>
/// <param name="Faces">The number of faces on them.</param>
/// <param name="Found">Those that were found.</param>
/// <param name="False">Detections that are no known face.</param>
/// <param name="Error">Mean distance of the five landmarks from the reference's per distance of its eyes; NaN without a reference.</param>
/// <param name="Milliseconds">Mean time of a decoded photo, with the alignment of its faces, on one thread.</param>
internal sealed record DetectorFigures(int Photos, int Faces, int Found, int False, double Error, double Milliseconds)
{
    /// <summary>The share of the detections that are faces.</summary>
    public double Precision => Found + False == 0 ? 1 : (double)Found / (Found + False);

    /// <summary>The share of the faces that are found.</summary>
    public double Recall => Faces == 0 ? 1 : (double)Found / Faces;
}

/// <summary>Measures detectors on photos whose faces are known, and on photos of a reference detector.</summary>
internal static class DetectorTrial
{
    /// <summary>All faces of labelled photos. A face is found if a detection's center is within half its size.</summary>
    public static DetectorFigures All(IFaceDetector detector, IEnumerable<LabelledPhoto> photos, CancellationToken stop)
    {
        int count = 0, faces = 0, found = 0, wrong = 0;
        double time = 0;
        foreach (LabelledPhoto photo in photos)
        {
            stop.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            DetectedFace[] detected = [.. Search(detector, photo.Photo, FaceChoice.All)];
            time += Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            HashSet<int> taken = [];
            foreach (DetectedFace face in detected)
            {
                Point[] five = face.Landmarks.ToArray();
                double x = five.Average(p => p.X), y = five.Average(p => p.Y);
                int at = Enumerable.Range(0, photo.Faces.Count)
                    .Where(i => double.Hypot(photo.Faces[i].X - x, photo.Faces[i].Y - y) < photo.Faces[i].Size / 2).DefaultIfEmpty(-1).First();
                wrong += at < 0 || !taken.Add(at) ? 1 : 0;
            }

            count++;
            faces += photo.Faces.Count;
            found += taken.Count;
        }

        return new DetectorFigures(count, faces, found, wrong, double.NaN, time / Math.Max(1, count));
    }

    /// <summary>The main face of photos, compared with a reference detector's: found if their centers agree within half the face.</summary>
    public static DetectorFigures Main(IFaceDetector detector, IFaceDetector reference, PhotoSet photos, int step, CancellationToken stop)
    {
        SkiaImageDecoder decoder = new();
        int count = 0, faces = 0, found = 0, wrong = 0;
        double time = 0, error = 0;
        for (int i = 0; i < photos.Names.Count; i += step)
        {
            stop.ThrowIfCancellationRequested();
            RgbImage image = decoder.Decode(photos.Read(i), photos.Names[i]);
            long start = Stopwatch.GetTimestamp();
            DetectedFace? face = Search(detector, image, FaceChoice.Largest).FirstOrDefault();
            time += Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            count++;
            if (Search(reference, image, FaceChoice.Largest).FirstOrDefault() is not DetectedFace other)
            {
                continue;
            }

            faces++;
            if (face is null)
            {
                continue;
            }

            Point[] expected = other.Landmarks.ToArray(), five = face.Landmarks.ToArray();
            if (double.Hypot(five.Average(p => p.X) - expected.Average(p => p.X), five.Average(p => p.Y) - expected.Average(p => p.Y)) < other.Width / 2)
            {
                found++;
                error += LandmarkFit.Error(five, expected);
            }
            else
            {
                wrong++;
            }
        }

        return new DetectorFigures(count, faces, found, wrong, error / Math.Max(1, found), time / Math.Max(1, count));
    }

    /// <summary>Photos with the faces that a reference detector finds.</summary>
    public static IEnumerable<LabelledPhoto> Labelled(IFaceDetector reference, PhotoSet photos, int step = 1)
    {
        SkiaImageDecoder decoder = new();
        for (int i = 0; i < photos.Names.Count; i += step)
        {
            RgbImage image = decoder.Decode(photos.Read(i), photos.Names[i]);
            yield return new LabelledPhoto(image, [.. Search(reference, image, FaceChoice.All).Select(face =>
            {
                Point[] five = face.Landmarks.ToArray();
                return new LabelledFace(five.Average(p => p.X), five.Average(p => p.Y), Math.Max(face.Width, face.Height), face.Score);
            })]);
        }
    }

    // As the commands use a detector: with turned photos, and with the alignment of the faces.
    private static IEnumerable<DetectedFace> Search(IFaceDetector detector, RgbImage image, FaceChoice choice) =>
        new FacePipeline(new SkiaImageDecoder(), detector).Search(image, choice).Faces.Select(face => face.Face!);
}
