namespace UniFace.Vision.Onnx;

/// <summary>
/// Disables the telemetry of ONNX Runtime. Version 1.31 stores a machine id and a list of events about the models that it runs in the user's
/// cache folder and sends them to its publisher; face recognition must not.
/// </summary>
internal static partial class OnnxTelemetry
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<bool> Off = new(TryDisable);

    /// <summary>Disables it for this process, once. Call it first if you use ONNX Runtime yourself as well.</summary>
    public static void Disable() => _ = Off.Value;

    // .NET does not pass on the variables that it sets; the native library reads those of the C library.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);

    private static bool TryDisable()
    {
        Environment.SetEnvironmentVariable(Variable, "1");
        try
        {
            return OperatingSystem.IsWindows() || SetVariable(Variable, "1", overwrite: 1) == 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            OrtEnv.Instance().DisableTelemetryEvents(); // The C library has no setenv.
            return true;
        }
    }
}
