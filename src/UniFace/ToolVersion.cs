using System.Reflection;

namespace UniFace;

/// <summary>The version of UniFace, as files record it.</summary>
internal static class ToolVersion
{
    /// <summary>The version without build metadata, e.g. "0.1.0".</summary>
    public static string Current { get; } =
        typeof(ToolVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
