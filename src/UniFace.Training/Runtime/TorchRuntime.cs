using System.Text.RegularExpressions;

namespace UniFace.Training.Runtime;

/// <summary>Configures libtorch for a program, and explains why it does not load.</summary>
internal static partial class TorchRuntime
{
    /// <summary>
    /// Makes libtorch's threads sleep while they wait for each other; a program calls it once, before anything uses libtorch. By default they
    /// spin, which costs most of the time if the machine does anything else: a tenth of the images per second was measured with 20 processes
    /// on 2 cores. A value of OMP_WAIT_POLICY that the user has set is kept.
    /// </summary>
    public static void Configure()
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                // OpenMP reads the variable when libtorch is loaded; .NET's Environment does not reach native code on Unix.
                _ = SetVariable("OMP_WAIT_POLICY\0"u8.ToArray(), "PASSIVE\0"u8.ToArray(), overwrite: 0);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                // Another C library; only speed is lost.
            }
        }
    }

    /// <summary>Loads libtorch. Returns null if it works, else one line: the library, the system's reason and the remedy.</summary>
    public static string? Probe()
    {
        try
        {
            using Tensor one = ones(1);
            return one.item<float>() == 1 ? null : "libtorch computes wrong results.";
        }
        catch (Exception e) when (IsLoadFailure(e))
        {
            return Explain(e);
        }
    }

    /// <summary>Loads libtorch.</summary>
    /// <exception cref="UniFaceException">It cannot be loaded, or the program has none; says what to do.</exception>
    public static void Require()
    {
        if (Probe() is string trouble)
        {
            throw new UniFaceException(trouble);
        }
    }

    /// <summary>Whether an exception means that a native library could not be loaded.</summary>
    public static bool IsLoadFailure(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException
                || (e is NotSupportedException && e.Message.Contains("libtorch", StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>One line for a failure to load libtorch: the library, the loader's reason and the remedy.</summary>
    public static string Explain(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (NativeFolder() is not string folder)
        {
            return $"training needs libtorch, which the package UniFace.Training does not bring: add the package TorchSharp-cpu to the program's project, " +
                "or for an NVIDIA GPU TorchSharp-cuda-linux or TorchSharp-cuda-windows.";
        }

        string reason = LoaderReason(folder) ?? exception.GetBaseException().Message.ReplaceLineEndings(" ");
        return $"libtorch cannot be loaded: {reason} {Remedy(reason)}";
    }

    /// <summary>The remedy for a loader's reason.</summary>
    internal static string Remedy(string reason)
    {
        if (reason.Contains("GLIBCXX", StringComparison.Ordinal) || reason.Contains("GLIBC_", StringComparison.Ordinal))
        {
            return "This system's C++ library is older than GCC 13.2's: use Debian 13, Ubuntu 24.04 or newer. The uniface tool also runs on Debian 12 " +
                "and Ubuntu 22.04.";
        }

        Match missing = MissingLibrary().Match(reason);
        return missing.Success
            ? $"Install the package that holds {missing.Groups[1].Value}, or delete the bin folders and build again if it is one of libtorch's own."
            : "Build for this system's processor (x64 Linux or Windows, arm64 macOS).";
    }

    /// <summary>The folder with libtorch; null if the program has none. A program that was published for one system has it beside itself.</summary>
    private static string? NativeFolder()
    {
        string[] folders = [Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"), AppContext.BaseDirectory];
        return folders.FirstOrDefault(folder => File.Exists(Path.Combine(folder, NativeName("c10"))));
    }

    private static string NativeName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>The system loader's message for the first native library that it refuses.</summary>
    private static string? LoaderReason(string folder)
    {
        foreach (string name in new[] { "c10", "torch_cpu", "torch", "LibTorchSharp" })
        {
            string path = Path.Combine(folder, NativeName(name));
            try
            {
                NativeLibrary.Load(path);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                // The loader lists every file name that it tried; only one line is about the file that exists.
                string? line = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .FirstOrDefault(l => l.Contains("version `", StringComparison.Ordinal) || MissingLibrary().IsMatch(l));
                return $"{path}: {line ?? e.Message.ReplaceLineEndings(" ")}.";
            }
        }

        return null;
    }

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable(byte[] name, byte[] value, int overwrite);

    [GeneratedRegex(@"([\w.+-]+\.so[\w.]*): cannot open shared object file")]
    private static partial Regex MissingLibrary();
}
