using System.CommandLine;
using UniFace.Benchmarks.Detection;
using UniFace.CommandLine.Terminal;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Vision.Detection;

namespace UniFace.Benchmarks.Commands;

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
            LandmarkFit.Result fit = LandmarkFit.Run(set, own, reference, stop);
            if (parsed.GetValue(output) is string file)
            {
                AtomicFile.WriteText(file, fit.Map + "\n");
            }

            parsed.Print(
                new { faces = fit.Faces, error = fit.Error, heldOutFaces = fit.HeldOutFaces, heldOutError = fit.HeldOutError },
                () => Console.WriteLine(
                    $"{fit.Faces} faces: error {fit.Error:P2} of the eye distance; {fit.HeldOutFaces} faces of other people: {fit.HeldOutError:P2}"));
        });
    }
}
