using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using TorchSharp;

namespace UniFace.Training;

/// <summary>Whether libtorch loads here, and if not, which library is at fault and what to do.</summary>
public static partial class TorchRuntime
{
    /// <summary>Loads libtorch. Gives null where it works, else one line: the library, the system's reason, the remedy.</summary>
    public static string? Probe()
    {
        try
        {
            using torch.Tensor one = torch.ones(1);
            return one.item<float>() == 1 ? null : "libtorch computes wrong results.";
        }
        catch (Exception e) when (IsLoadFailure(e))
        {
            return Explain(e);
        }
    }

    /// <summary>Whether an exception says that a native library could not be loaded.</summary>
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

    /// <summary>One line for a failure to load libtorch: which library, the loader's own reason, what to do.</summary>
    public static string Explain(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        string reason = LoaderReason() ?? Innermost(exception);
        return $"libtorch cannot be loaded: {reason} {Remedy(reason)}";
    }

    /// <summary>What to do about a loader's reason.</summary>
    internal static string Remedy(string reason)
    {
        if (reason.Contains("GLIBCXX", StringComparison.Ordinal) || reason.Contains("GLIBC_", StringComparison.Ordinal))
        {
            return "This system's C++ library is older than GCC 13.2's: run setup/system.sh as root once (Debian 12), or use Debian 13, Ubuntu 24.04 or newer.";
        }

        Match missing = MissingLibrary().Match(reason);
        return missing.Success
            ? $"Install the package that holds {missing.Groups[1].Value}, or delete the bin folders and build again if it is one of libtorch's own."
            : "Build for this system's processor (x64 Linux or Windows, arm64 macOS) and run 'uniface doctor'.";
    }

    /// <summary>The system loader's own words about the first of our native libraries that it refuses.</summary>
    private static string? LoaderReason()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        if (!Directory.Exists(folder))
        {
            return $"{folder} does not exist: the build holds no libtorch for {RuntimeInformation.RuntimeIdentifier}.";
        }

        (string prefix, string suffix) = OperatingSystem.IsWindows() ? ("", ".dll") : OperatingSystem.IsMacOS() ? ("lib", ".dylib") : ("lib", ".so");
        foreach (string name in new[] { "c10", "torch_cpu", "torch", "LibTorchSharp" })
        {
            string path = Path.Combine(folder, prefix + name + suffix);
            try
            {
                NativeLibrary.Load(path);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                // The loader tries several spellings and lists them all; the last line speaks of the file that is there.
                string? line = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .FirstOrDefault(l => l.Contains("version `", StringComparison.Ordinal) || MissingLibrary().IsMatch(l));
                return $"{path}: {line ?? e.Message.ReplaceLineEndings(" ")}.";
            }
        }

        return null;
    }

    private static string Innermost(Exception exception)
    {
        Exception e = exception;
        while (e.InnerException is not null)
        {
            e = e.InnerException;
        }

        return e.Message.ReplaceLineEndings(" ");
    }

    [GeneratedRegex(@"([\w.+-]+\.so[\w.]*): cannot open shared object file")]
    private static partial Regex MissingLibrary();
}
