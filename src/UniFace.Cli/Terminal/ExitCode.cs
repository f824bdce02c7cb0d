namespace UniFace.Cli.Terminal;

/// <summary>The exit codes of every command.</summary>
internal static class ExitCode
{
    /// <summary>Done; the answer is yes.</summary>
    public const int Success = 0;

    /// <summary>Done; the answer is no: not a match, a check that failed.</summary>
    public const int Negative = 1;

    /// <summary>Bad input; nothing was lost.</summary>
    public const int BadInput = 2;

    /// <summary>Stopped by Ctrl-C after saving.</summary>
    public const int Interrupted = 130;

    /// <summary>Stopped by SIGTERM or SIGHUP after saving.</summary>
    public const int Terminated = 143;
}
