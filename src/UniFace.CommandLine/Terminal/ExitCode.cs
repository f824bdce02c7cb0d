namespace UniFace.CommandLine.Terminal;

/// <summary>The exit codes of every command.</summary>
internal static class ExitCode
{
    /// <summary>The command succeeded; the answer is yes.</summary>
    public const int Success = 0;

    /// <summary>The command succeeded; the answer is no: no match, or a failed check.</summary>
    public const int Negative = 1;

    /// <summary>Invalid input; nothing was changed.</summary>
    public const int BadInput = 2;

    /// <summary>Stopped by Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>Stopped by SIGTERM or SIGHUP.</summary>
    public const int Terminated = 143;
}
