using System.IO.Pipes;
using System.Reflection;

namespace UniFace.Training.Distributed;

/// <summary>
/// A shell beside a rank, in a session of its own, so that it outlives the rank and reports its end: a killed process cannot. Of several ranks that end at
/// nearly the same time, the first is reported. A library that is in the middle of a transfer with a killed rank may abort its own process; such a rank says
/// so first, and its sentinel leaves the report to that of the rank that was killed.
/// </summary>
internal sealed unsafe partial class RankSentinel : IDisposable
{
    // $1: the marker; $2, $3: messages for a killed and an aborted rank; $4: folder of the signs of life; $5, $6: machine
    // and process of the rank. A process that ends loses its memory before its pipes; those of other machines cannot be looked up.
    private const string Script = """
        read -r end; [ "$end" = done ] && exit
        message=$2
        if [ "$end" = abort ]; then
          message=$3
          for attempt in 1 2 3; do
            for sign in "$4"/rank-*; do
              { read -r process; read -r machine; } 2>/dev/null <"$sign" || continue
              [ "$machine" != "$5" ] || [ "$process" = "$6" ] || grep -qs ^VmSize "/proc/$process/status" || exit
            done
            sleep 0.2
          done
        fi
        set -C; { : >"$1"; } 2>/dev/null && echo "$message" >&2
        """;

    private const int Abort = 6; // SIGABRT
    private static volatile int pipe = -1; // of the sentinel of this process
    private readonly Process shell;

    private RankSentinel(Process shell)
    {
        this.shell = shell;
        if (shell.StandardInput.BaseStream is PipeStream stream)
        {
            pipe = (int)stream.SafePipeHandle.DangerousGetHandle();

            // Compiled and bound now: a library that aborts may hold the lock of the heap, which the handler must not need.
            Marshal.PrelinkAll(typeof(RankSentinel));
            RuntimeHelpers.PrepareMethod(typeof(RankSentinel).GetMethod(nameof(OnAbort), BindingFlags.Static | BindingFlags.NonPublic)!.MethodHandle);
            Notify(-1);
            SetHandler(Abort, (nint)(delegate* unmanaged[Cdecl]<int, void>)&OnAbort);
        }
    }

    /// <summary>Starts the sentinel of this process.</summary>
    /// <param name="marker">Path of a file; only the process that creates it reports the end of the job.</param>
    /// <param name="signs">Folder with the signs of life of all ranks.</param>
    /// <param name="rank">The rank of this process.</param>
    /// <returns>null if there is no setsid; then only mpiexec reports the process.</returns>
    public static RankSentinel? Start(string marker, string signs, int rank)
    {
        string name = $"error: rank {rank} (process {Environment.ProcessId} on {Environment.MachineName}) was";
        const string Advice = "The last checkpoint is good; resume the run to continue from it.";
        Process? shell = DetachedShell.Start(
            Script, marker, $"{name} killed. {Advice}", $"{name} aborted by a library, whose message is above. {Advice}", signs,
            Environment.MachineName, $"{Environment.ProcessId}");
        return shell is null ? null : new RankSentinel(shell);
    }

    /// <summary>Ends the sentinel without a report.</summary>
    public void Dispose()
    {
        pipe = -1;
        try
        {
            shell.StandardInput.WriteLine("done");
            shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // It was killed.
        }

        shell.Dispose();
    }

    /// <summary>
    /// Called by the thread that aborts. While it waits, the sentinel sees which other ranks are alive; then the process ends. It replaces the runtime's own
    /// handler, so an abort writes no minidump (DOTNET_DbgEnableMiniDump).
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnAbort(int signal)
    {
        if (Notify(pipe))
        {
            _ = Wait(1_000_000);
        }

        SetHandler(Abort, 0);
        _ = Raise(Abort);
    }

    private static bool Notify(int file)
    {
        fixed (byte* message = "abort\n"u8)
        {
            return Write(file, message, 6) == 6;
        }
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "raise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Raise(int signal);

    [LibraryImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Wait(uint microseconds);

    [LibraryImport("libc", EntryPoint = "write")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Write(int file, byte* data, nint count);
}
