using Spectre.Console;
using SkiaSharp;
using TorchSharp;
using UniFace.Training.Native;
using UniFace.Vision.Detection;

namespace UniFace.Cli;

/// <summary>`uniface doctor`: checks the installation.</summary>
internal static class DoctorCommand
{
    private const long EnoughDiskBytes = 2L << 30;

    /// <summary>One check. The installation is healthy if every required check succeeds.</summary>
    private sealed record Finding(string What, bool Found, string Detail, string? Remedy, bool Required = true);

    public static Command Create() => CliCommand.Create(
        "doctor",
        "Check the installation. Looks for native libraries, device, models, data folder and disk, and says how to fix what is missing.\n" +
        "Example: uniface doctor",
        [],
        (parsed, _) =>
        {
            List<Finding> findings = Examine();
            bool healthy = findings.All(f => f.Found || !f.Required);
            parsed.Print(new { healthy, findings }, () => Show(findings, healthy));
            return healthy ? ExitCode.Success : ExitCode.Negative;
        });

    private static List<Finding> Examine()
    {
        return
        [
            new(
                ".NET",
                true,
                $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}",
                null),
            Try("SkiaSharp (pictures)", "build again; on Linux the native library comes with the package", () =>
            {
                using SKBitmap bitmap = new(8, 8);
                using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
                return $"version {typeof(SKBitmap).Assembly.GetName().Version}, encodes and decodes";
            }),
            Try("ONNX Runtime (detect, embed)", "build again; on Windows install the Visual C++ runtime", () =>
            {
                UniFace.Vision.Onnx.OnnxTelemetry.TurnOff();
                string[] providers = Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetAvailableProviders();
                return $"version {Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString()}, providers {string.Join(", ", providers)}";
            }),
            Torch(out bool torchLoads),
            Device(torchLoads),
            Detector(),
            Folder("data folder", UniFaceHome.ForNew),
            Folder("working folder", () => Environment.CurrentDirectory),
        ];
    }

    private static Finding Torch(out bool loads)
    {
        string? trouble = TorchRuntime.Probe();
        loads = trouble is null;
        return new Finding(
            "libtorch (training)",
            loads,
            loads ? $"TorchSharp {typeof(torch).Assembly.GetName().Version}, libtorch {torch.__version__}" : trouble!,
            "see the line above; only training needs it");
    }

    private static Finding Device(bool torchLoads)
    {
        long gigabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        string processor = $"{Environment.ProcessorCount} processors, {gigabytes} GB memory";
        bool cuda = torchLoads && torch.cuda_is_available();
        return new Finding("device", true, cuda ? $"CUDA, {processor}" : $"CPU, {processor}", null);
    }

    private static Finding Detector()
    {
        const string What = "default face detector";
        try
        {
            return new Finding(What, true, FaceDetectors.RequireInstalled(), null);
        }
        catch (UniFaceException)
        {
            return new Finding(What, false, "not installed", "run setup/models.sh (needs npm), or give a detector with --detector FILE");
        }
    }

    private static Finding Folder(string what, Func<string> place)
    {
        try
        {
            string folder = place();
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, $".doctor-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            long free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
            return new Finding(
                what,
                free >= EnoughDiskBytes,
                $"{folder}, writable, {free / (double)(1L << 30):F1} GB free",
                "free some space: a run and its checkpoints need 2 GB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UniFaceException)
        {
            return new Finding(what, false, e.Message, "set UNIFACE_HOME to a writable folder");
        }
    }

    private static Finding Try(string what, string remedy, Func<string> look)
    {
        try
        {
            return new Finding(what, true, look(), null);
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return new Finding(what, false, (e.InnerException ?? e).Message.ReplaceLineEndings(" "), remedy);
        }
    }

    private static void Show(List<Finding> findings, bool healthy)
    {
        Table table = Output.Table("", "what", "result");
        foreach (Finding f in findings)
        {
            string mark = f.Found ? "[green]ok[/]" : f.Required ? "[red]missing[/]" : "[yellow]absent[/]";
            table.AddRow(mark, Markup.Escape(f.What), Markup.Escape(f.Found ? f.Detail : $"{f.Detail}: {f.Remedy}"));
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(healthy ? "[green]Everything that UniFace needs is installed.[/]" : "[red]Something is missing; see the table.[/]");
    }
}
