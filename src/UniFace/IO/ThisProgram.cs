namespace UniFace.IO;

/// <summary>The running program, to start it again as a child process.</summary>
internal static class ThisProgram
{
    /// <summary>How to start it: its own executable, or dotnet with its assembly.</summary>
    /// <param name="arguments">The arguments of the child.</param>
    public static ProcessStartInfo CreateStart(params IEnumerable<string> arguments)
    {
        string program = Environment.ProcessPath!;
        string[] assembly = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        return new ProcessStartInfo(program, [.. assembly, .. arguments]);
    }
}
