using System.ComponentModel;

namespace UniFace.Training.Distributed;

/// <summary>
/// A shell that holds the output of this process open until its parent has read its exit code. The mpiexec of MPICH before 4.1 stops to read exit codes when
/// the output of all ranks is closed, and reports 0 for those it has not read if it has sent them a signal: after Ctrl-C, for ranks that end at the same time.
/// </summary>
internal static partial class ExitCodeKeeper
{
    // $1: the process. Mpiexec reads an exit code when an output closes: first the standard error, once the process has ended, then the rest.
    private const string Script = """
        until [ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"; do sleep 0.02; done
        exec 2>&-
        for attempt in $(seq 500); do [ -e "/proc/$1" ] || exit; sleep 0.02; done
        """;

    private const string Descriptors = "/proc/self/fd";
    private const int SetFlags = 2, CloseOnExec = 1; // F_SETFD, FD_CLOEXEC

    /// <summary>Starts the shell, at the end of this process. It ends at most ten seconds after this process.</summary>
    public static void Start()
    {
        ProcessStartInfo start = new("setsid") { RedirectStandardInput = true, UseShellExecute = false };
        foreach (string argument in (string[])["sh", "-c", Script, "sh", $"{Environment.ProcessId}"])
        {
            start.ArgumentList.Add(argument);
        }

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

            using Process shell = Process.Start(start)!;
            shell.StandardInput.Close();
        }
        catch (Win32Exception)
        {
            // There is no setsid.
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int file, int command, int value);
}
