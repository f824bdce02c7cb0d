using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniFace.Training;

/// <summary>
/// Lets libtorch's threads sleep while they wait for each other. By default they spin, which on a machine that does
/// anything else costs most of the time: ten times fewer images a second were measured with 20 processes on 2 cores.
/// </summary>
internal static class ThreadWaiting
{
    /// <summary>
    /// Runs before the first use of this assembly, because OpenMP reads the variable once, when libtorch is loaded.
    /// The runtime's own Environment does not reach native code on Unix. A value that the user has set stays.
    /// </summary>
#pragma warning disable CA2255 // Nothing later is early enough.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize()
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                _ = SetVariable("OMP_WAIT_POLICY\0"u8.ToArray(), "PASSIVE\0"u8.ToArray(), overwrite: 0);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                // Another C library: only speed is lost.
            }
        }
    }

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable(byte[] name, byte[] value, int overwrite);
}
