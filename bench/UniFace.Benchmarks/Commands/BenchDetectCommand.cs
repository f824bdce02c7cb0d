using System.CommandLine;
using System.Globalization;
using UniFace.Benchmarks.Detection;
using UniFace.CommandLine.Terminal;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Vision.Detection;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench detect`: face detectors on LFW, CelebA and composed photos.</summary>
internal static class BenchDetectCommand
{
    private const string Description = """
        Compare face detectors: precision, recall, landmark error and time. DATA has lfw-deepfunneled-pairs.tar, celeba-faces.tar, photos.tar and
        yunet_s_dynamic.onnx, which is the reference for landmarks. Needs 'uniface models pull blazeface'.
        Example: uniface bench detect ../shared/data --out docs/detection.md
        """;

    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "A folder with the data." };
        CliOption<string?> output = new("--out", "Write the table to this Markdown file.", "FILE");
        CliOption<int> step = new("--step", "Use every n-th photo of LFW and CelebA.") { Default = 4, Range = (1, 1000) };
        CliOption<int> composed = new("--composed", "Composed photos of each kind.") { Default = 48, Range = (1, 10_000) };
        CliOption<int> faceless = new("--faceless", "Composed photos without a face.") { Default = 300, Range = (1, 1_000_000) };
        return CliCommand.Create("detect", Description, [data, output, step, composed, faceless], (parsed, stop) =>
        {
            string folder = parsed.GetRequiredValue(data), yunet = Path.Combine(folder, "yunet_s_dynamic.onnx");
            using PhotoSet lfw = PhotoSet.Open(Path.Combine(folder, "lfw-deepfunneled-pairs.tar"));
            using PhotoSet celeba = PhotoSet.Open(Path.Combine(folder, "celeba-faces.tar"));
            using PhotoSet photos = PhotoSet.Open(Path.Combine(folder, "photos.tar"));
            using IFaceDetector reference = FaceDetectors.Open(yunet);
            List<LabelledPhoto> faces = // One sure, upright face each, to compose photos of.
                [.. DetectorTrial.Labelled(reference, celeba, step: 12).Where(photo => photo.Faces is [{ Score: > 0.88 }]).Take(200)];
            int count = parsed.GetValue(composed), none = parsed.GetValue(faceless), every = parsed.GetValue(step);
            List<(string Set, string Detector, DetectorFigures Figures)> rows = [];
            (string, string?)[] detectors = [("BlazeFace (back) with face mesh", "blazeface"), ("default", null), ("YuNet", yunet)];
            foreach ((string name, string? path) in detectors)
            {
                using IFaceDetector detector = FaceDetectors.Open(path);
                Add("LFW, main face", DetectorTrial.Main(detector, reference, lfw, every, stop));
                Add("CelebA, main face", DetectorTrial.Main(detector, reference, celeba, every, stop));
                Add("photos.tar, all faces", DetectorTrial.All(detector, DetectorTrial.Labelled(reference, photos), stop));
                Add("a large face at the side", DetectorTrial.All(detector, Enumerable.Range(0, count).Select(i => ComposedPhotos.AtTheSide(i, faces)), stop));
                Add("many small faces", DetectorTrial.All(detector, Enumerable.Range(0, count / 4).Select(i => ComposedPhotos.Many(i, faces)), stop));
                Add("a turned face", DetectorTrial.All(detector, Enumerable.Range(0, count).Select(i => ComposedPhotos.Turned(i, faces)), stop));
                Add("no face", DetectorTrial.All(detector, Enumerable.Range(0, none).Select(i => new LabelledPhoto(FacelessCanvas.Draw(i), [])), stop));

                void Add(string set, DetectorFigures figures)
                {
                    rows.Add((set, name, figures));
                    Console.Error.WriteLine(Line(set, name, figures));
                }
            }

            IEnumerable<(string Set, string Detector, DetectorFigures Figures)> sorted = rows.OrderBy(row => rows.FindIndex(r => r.Set == row.Set));
            string table = string.Join('\n', sorted.Select(row => Line(row.Set, row.Detector, row.Figures)));
            string text = $"""
                # Face detection

                By default MediaPipe's full-range BlazeFace proposes faces, and MediaPipe's face landmark network looks twice at each proposal, the second
                time mirrored and where the first saw the face, and again until the eyes are level. The mean presence decides; below a logit of 8,
                the proposal must also be made again in an upright crop. If no face is certain, the quarter turns of the photo are searched; if there is
                none, or all faces are wanted, tiles too. The landmarks are a linear map of 27 points of the mesh, fitted with `uniface bench landmarks`
                on CelebA. A BlazeFace file only proposes.

                Written by `uniface bench detect ../shared/data --step {every} --composed {count} --faceless {none} --out docs/detection.md`, one thread.
                On LFW and CelebA the main face is compared with that of YuNet, so YuNet agrees with itself; "false" is a main face elsewhere, often another
                person. The landmark error is the mean distance of the five points from YuNet's per distance of the eyes. On photos.tar the faces are those of
                YuNet; one of its 38 is not a face. Composed photos are CelebA faces on drawn text, cloth, textures, emblems, landscapes and streets.

                | photos | detector | number | faces | found | false | precision | recall | landmark error | ms per photo |
                |---|---|---|---|---|---|---|---|---|---|
                {table}

                """;
            if (parsed.GetValue(output) is string file)
            {
                AtomicFile.WriteText(file, text + Notes(file));
            }

            parsed.Print(rows.Select(row => new { row.Set, row.Detector, row.Figures }), () => Console.WriteLine(table));
        });
    }

    /// <summary>The rest of an earlier table's file: what was written by hand after the table.</summary>
    private static string Notes(string file)
    {
        string old = File.Exists(file) ? File.ReadAllText(file) : "";
        int at = old.IndexOf("\n## ", StringComparison.Ordinal);
        return at < 0 ? "" : old[at..];
    }

    private static string Line(string set, string detector, DetectorFigures f)
    {
        string error = double.IsNaN(f.Error) ? "-" : f.Error.ToString("P2", CultureInfo.InvariantCulture);
        return FormattableString.Invariant(
            $"| {set} | {detector} | {f.Photos} | {f.Faces} | {f.Found} | {f.False} | {f.Precision:P1} | {f.Recall:P1} | {error} | {f.Milliseconds:F1} |");
    }
}
