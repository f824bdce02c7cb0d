namespace UniFace.Training.Distributed;

/// <summary>
/// A shell that holds the output of this process open until its parent has read its exit code. The mpiexec of MPICH before 4.1 stops reading exit codes when
/// the output of all ranks is closed. If it has sent a signal, it then reports 0 for the ranks whose exit codes it has not read: those that end at the same
/// time after Ctrl-C.
/// </summary>
internal static partial class ExitCodeKeeper
{
    // $1: the process. Mpiexec reads exit codes when an output closes: here the standard error, once the last thread of the process has ended, and then
    // the standard output.
    private const string Script = """
        runs() { [ -e "/proc/$1" ] && { ! grep -qs '^State:.Z' "/proc/$1/status" || [ "$(ls "/proc/$1/task" 2>/dev/null | wc -l)" -gt 1 ]; }; }
        while runs "$1"; do sleep 0.02; done
        exec 2>&-
        for attempt in $(seq 500); do [ -e "/proc/$1" ] || exit; sleep 0.02; done
        """;

    private const string Descriptors = "/proc/self/fd";
    private const int SetFlags = 2, CloseOnExec = 1; // F_SETFD, FD_CLOEXEC

    /// <summary>Starts the shell, at the end of this process. It ends at most ten seconds after this process.</summary>
    public static void Start()
    {
        try
        {
            // Mpiexec leaves more than one descriptor of an output to a rank; the shell may hold only those that it closes.
            foreach (string descriptor in Directory.Exists(Descriptors) ? Directory.GetFiles(Descriptors) : [])
            {
                int number = int.Parse(Path.GetFileName(descriptor), CultureInfo.InvariantCulture);
                if (number > 2)
                {
                    _ = Control(number, SetFlags, CloseOnExec);
                }
            }

            using Process? shell = DetachedShell.Start(Script, $"{Environment.ProcessId}");
            shell?.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The descriptors cannot be read: the exit code may be lost.
        }
    }

    // Called with a variable number of arguments, which is the same call on Linux, but not on macOS, which has no /proc.
    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int file, int command, int value);
}
