using System.Diagnostics;
using System.Globalization;

namespace UniFace.Benchmarks;

/// <summary>The process's resident memory and its peak. Only Linux can reset the peak.</summary>
internal static class ResidentMemory
{
    private const string Status = "/proc/self/status";

    /// <summary>The bytes in use.</summary>
    public static long Now() => Read("VmRSS:") ?? Process.GetCurrentProcess().WorkingSet64;

    /// <summary>The peak since <see cref="ResetPeak"/>, in bytes.</summary>
    public static long Peak() => Read("VmHWM:") ?? Process.GetCurrentProcess().PeakWorkingSet64;

    /// <summary>Resets the peak, if the system supports it.</summary>
    public static void ResetPeak()
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                File.WriteAllText("/proc/self/clear_refs", "5"); // proc(5): resets the peak resident set size.
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The peak of the whole process is an upper bound.
        }
    }

    private static long? Read(string name)
    {
        if (!File.Exists(Status))
        {
            return null;
        }

        string? line = File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? null : long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}
