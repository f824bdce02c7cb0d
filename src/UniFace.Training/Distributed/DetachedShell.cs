using System.ComponentModel;

namespace UniFace.Training.Distributed;

/// <summary>A shell in a session of its own, which outlives this process and gets none of its signals. It writes to the outputs of this process.</summary>
internal static class DetachedShell
{
    /// <summary>Starts the shell; its input is a pipe from this process.</summary>
    /// <param name="script">What it runs.</param>
    /// <param name="arguments">$1, $2, ... of the script.</param>
    /// <returns>null if there is no setsid.</returns>
    public static Process? Start(string script, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", script, "sh", .. arguments]) { RedirectStandardInput = true });
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
