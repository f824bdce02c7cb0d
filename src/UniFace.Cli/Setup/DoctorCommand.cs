using Microsoft.ML.OnnxRuntime;
using SkiaSharp;
using Spectre.Console;
using TorchSharp;
using UniFace.Training.Runtime;
using UniFace.Vision.Detection;

namespace UniFace.Cli.Setup;

/// <summary>`uniface doctor`: checks the installation.</summary>
internal static class DoctorCommand
{
    private const long EnoughDiskBytes = 2L << 30;
    private const string FolderRemedy = "set UNIFACE_HOME to a writable folder with 2 GB of free space, for a run and its checkpoints";

    /// <summary>One check; the remedy is null if it succeeded.</summary>
    private sealed record Finding(string What, bool Found, string Detail, string? Remedy)
    {
        /// <summary>In the JSON only: there are no optional checks.</summary>
        public bool Required { get; } = true;
    }

    public static Command Create() => CliCommand.Create(
        "doctor",
        "Check the installation. Looks for native libraries, device, models, data folder and disk, and says how to fix what is missing.\n" +
        "Example: uniface doctor",
        [],
        (parsed, _) =>
        {
            Finding[] findings = [.. Examine()];
            bool healthy = findings.All(f => f.Found);
            parsed.Print(new { healthy, findings }, () =>
            {
                Output.Table(["", "what", "result"], findings.Select(f => (object[])
                [
                    f.Found ? new Markup("[green]ok[/]") : new Markup("[red]missing[/]"), f.What, f.Found ? f.Detail : $"{f.Detail}: {f.Remedy}",
                ]));
                AnsiConsole.MarkupLine(healthy ? "[green]Everything that UniFace needs is installed.[/]" : "[red]Something is missing; see the table.[/]");
            });
            return healthy;
        });

    private static IEnumerable<Finding> Examine()
    {
        yield return Check(".NET", "", () =>
            $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
        yield return Check("SkiaSharp (images)", "build again; on Linux the native library comes with the package", () =>
        {
            using SKBitmap bitmap = new(8, 8);
            using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
            return $"version {typeof(SKBitmap).Assembly.GetName().Version}, encodes and decodes";
        });
        yield return Check("ONNX Runtime (detect, embed)", "build again; on Windows install the Visual C++ runtime", () =>
        {
            OnnxTelemetry.Disable();
            return $"version {OrtEnv.Instance().GetVersionString()}, providers {string.Join(", ", OrtEnv.Instance().GetAvailableProviders())}";
        });
        string? trouble = TorchRuntime.Probe();
        yield return Check("libtorch (training)", "see the line above; only training needs it", () => trouble is null
            ? $"TorchSharp {typeof(torch).Assembly.GetName().Version}, libtorch {torch.__version__}" +
                (OneDnn.IsDisabled ? ", without oneDNN, which computes wrong convolutions on this machine" : "")
            : throw new UniFaceException(trouble));
        yield return Check("device", "", () =>
        {
            string device = trouble is null && torch.cuda_is_available() ? "CUDA" : "CPU";
            return $"{device}, {Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GB memory";
        });
        yield return Check(
            "default face detector",
            "run setup/models.sh (needs npm), or give a detector with --detector FILE",
            () => FaceDetectors.Installed() ?? throw new UniFaceException("not installed"));
        yield return Check("data folder", FolderRemedy, () => Probe(UniFaceHome.ForNew()));
        yield return Check("working folder", FolderRemedy, () => Probe(Environment.CurrentDirectory));
    }

    private static string Probe(string folder)
    {
        Directory.CreateDirectory(folder);
        string probe = Path.Combine(folder, $".doctor-{Environment.ProcessId}");
        File.WriteAllText(probe, "");
        File.Delete(probe);
        long free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        string found = $"{folder}, writable, {free / (double)(1L << 30):F1} GB free";
        return free >= EnoughDiskBytes ? found : throw new UniFaceException(found);
    }

    private static Finding Check(string what, string remedy, Func<string> examine)
    {
        try
        {
            return new Finding(what, true, examine(), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UniFaceException
            or TypeInitializationException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return new Finding(what, false, (e.InnerException ?? e).Message.ReplaceLineEndings(" "), remedy);
        }
    }
}
