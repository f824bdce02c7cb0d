using UniFace.Benchmarks.Detection;
using UniFace.Data;
using UniFace.Vision.Detection;

namespace UniFace.Cli.Bench;

/// <summary>`uniface bench landmarks`: fits the map from the face mesh to five landmarks.</summary>
internal static class BenchLandmarksCommand
{
    private const string Description = """
        Fit the linear map from the default detector's face mesh to YuNet's five landmarks, on three quarters of the people in PHOTOS (one folder per
        person), and measure it on the others. --out writes src/UniFace.Vision/Detection/face-mesh-landmarks.json again.
        Example: uniface bench landmarks ../shared/data/celeba-faces.tar --detector ../shared/data/yunet_s_dynamic.onnx --out map.json
        """;

    public static Command Create()
    {
        Argument<string> photos = new("PHOTOS") { Description = "Photos in one folder per person." };
        CliOption<string> detector = new("--detector", "The reference: an .onnx file of YuNet.", "FILE") { Required = true };
        CliOption<string?> output = new("--out", "Write the map to this file.", "FILE");
        return CliCommand.Create("landmarks", Description, [photos, detector, output], (parsed, stop) =>
        {
            using PhotoSet set = PhotoSet.Open(parsed.GetRequiredValue(photos));
            using IFaceDetector reference = FaceDetectors.Open(parsed.GetRequiredValue(detector)), own = FaceDetectors.Open();
            string[] people = [.. set.PeopleByFolder()];
            string[] names = [.. people.Distinct().Order(StringComparer.Ordinal)];
            ILookup<bool, int> heldOut = Enumerable.Range(0, people.Length).ToLookup(i => Array.BinarySearch(names, people[i], StringComparer.Ordinal) % 4 == 3);
            List<LandmarkFit.Sample> fitted = Collect(false), others = Collect(true);
            FaceMeshLandmarks map = LandmarkFit.Fit(fitted);
            double inside = Error(map, fitted), outside = Error(map, others);
            if (parsed.GetValue(output) is string file)
            {
                AtomicFile.WriteText(file, map.ToJson() + "\n");
            }

            parsed.Print(
                new { faces = fitted.Count, error = inside, heldOutFaces = others.Count, heldOutError = outside },
                () => Console.WriteLine($"{fitted.Count} faces: error {inside:P2} of the eye distance; {others.Count} faces of other people: {outside:P2}"));
            return ExitCode.Success;

            List<LandmarkFit.Sample> Collect(bool held) =>
                LandmarkFit.Collect(set, [.. heldOut[held]], (FaceMeshDetector)own, reference, stop.ThrowIfCancellationRequested);
        });
    }

    private static double Error(FaceMeshLandmarks map, List<LandmarkFit.Sample> samples) =>
        samples.Average(sample => LandmarkFit.Error(LandmarkFit.Five(map.ToFive(sample.Points)), sample.Five));
}
