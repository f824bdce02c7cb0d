using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace UniFace.Vision.Onnx;

/// <summary>
/// ONNX Runtime 1.31 tells its maker about the models that it runs: it keeps a number of the machine and a list of events in the user's cache
/// folder, and sends them by HTTPS. What runs on faces tells nobody, so it is off before the first session.
/// </summary>
public static partial class OnnxTelemetry
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>Turns it off for this process; does nothing more the second time. Call it before ONNX Runtime where you use that yourself, too.</summary>
    public static void TurnOff() => Off.Done();

    // .NET keeps the variables that it sets to itself; the native library asks the C library's.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);

    private static class Off
    {
        static Off()
        {
            Environment.SetEnvironmentVariable(Variable, "1");
            try
            {
                _ = OperatingSystem.IsWindows() ? 0 : SetVariable(Variable, "1", overwrite: 1);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                OrtEnv.Instance().DisableTelemetryEvents(); // another C library: the later way
            }
        }

        public static void Done()
        {
        }
    }
}
