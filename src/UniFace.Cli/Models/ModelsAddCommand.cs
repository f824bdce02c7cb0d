using UniFace.Vision.Models;

namespace UniFace.Cli.Models;

/// <summary>`uniface models add`: installs a package, or a model from a file or an address.</summary>
internal static class ModelsAddCommand
{
    private const string Description = """
        Install your own package, or an .onnx file, under a name that every command accepts: a face detector (YuNet, BlazeFace), or an embedder that
        takes faces as ArcFace does. A download needs --sha256, so that the file is the one you mean.
        Example: uniface models add ours package
        Example: uniface models add yunet face_detection_yunet_2023mar.onnx
        """;

    public static Command Create()
    {
        Argument<string> name = new("NAME") { Description = "The name: lower-case letters, digits, '-', '_' and '.'." };
        Argument<string> package = new("PACKAGE|FILE|URL")
        {
            Description = "A package folder written by 'uniface export', or an .onnx file or its http(s) address. It is copied.",
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
                string installed = ModelInstaller.Add(own, file, source, out bool isDetector);
                parsed.Print(
                    new { name = own, installed, sha256 = Sha256.HashBytes(file), @default = InstalledModels.GetDefault() == own },
                    () => Console.WriteLine(
                        isDetector ? $"{own} is installed: {installed} (use it with --detector {own})"
                        : $"{own} is installed: {installed}. It has no thresholds; measure them with 'uniface calibrate {own} --images PEOPLE'."));
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
