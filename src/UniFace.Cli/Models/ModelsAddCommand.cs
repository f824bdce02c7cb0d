using UniFace.Vision.Detection;
using UniFace.Vision.Models;

namespace UniFace.Cli.Models;

/// <summary>`uniface models add`: installs a package, or a face detector from a file or an address.</summary>
internal static class ModelsAddCommand
{
    private const string Description = """
        Install your own package, or a face detector (an .onnx file of YuNet or BlazeFace), under a name that every command accepts. A download needs
        --sha256, so that the file is the one you mean.
        Example: uniface models add ours package
        Example: uniface models add yunet face_detection_yunet_2023mar.onnx
        """;

    public static Command Create()
    {
        Argument<string> name = new("NAME") { Description = "The name: lower-case letters, digits, '-', '_' and '.'." };
        Argument<string> package = new("PACKAGE|FILE|URL")
        {
            Description = "A package folder written by 'uniface export', or the .onnx file or http(s) address of a detector. It is copied.",
        };
        CliOption<string?> sha256 = new("--sha256", "The file's SHA-256; another file is refused. Required for an address.", "HEX");
        return CliCommand.Create("add", Description, [name, package, sha256], async (parsed, stop) =>
        {
            string own = parsed.GetRequiredValue(name), source = parsed.GetRequiredValue(package);
            string? hash = parsed.GetValue(sha256);
            if (ModelCatalogue.All.Any(m => m.Name == own))
            {
                throw new UniFaceException($"{own} is a model of the catalog; choose another name.");
            }

            if (ModelDownload.IsAddress(source) || File.Exists(source))
            {
                byte[] file = await ModelDownload.ReadAsync(source, hash, stop);
                string installed = FaceDetectors.Add(own, file, source);
                parsed.Print(
                    new { name = own, installed, sha256 = Sha256.HashBytes(file), @default = false },
                    () => Console.WriteLine($"{own} is installed: {installed} (use it with --detector {own})"));
                return;
            }

            if (hash is not null)
            {
                throw new UniFaceException($"--sha256 is for a file or an address; {source} is neither (a package's manifest has its hash).");
            }

            FaceRecognizer.Open(source).Dispose(); // A package that does not open is not installed.
            ModelsCommand.PrintInstalled(parsed, own, InstalledModels.Add(own, source));
        });
    }
}
