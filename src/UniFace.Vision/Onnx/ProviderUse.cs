namespace UniFace.Vision.Onnx;

/// <summary>
/// Adds an execution provider to a session, and checks after the first run that at least one operator ran on it: ONNX Runtime silently falls back to the
/// CPU. The check reads ONNX Runtime's profile of that run.
/// </summary>
internal sealed class ProviderUse
{
    private const long MaxProfileBytes = 256L << 20;

    private readonly string name;
    private readonly string refusal;

    /// <summary>The folder with the profile, which the check deletes.</summary>
    internal string Folder { get; }

    /// <summary>Prepares the check of a provider; the session must be created with the same options.</summary>
    /// <param name="options">The session's options.</param>
    /// <param name="name">The provider's name in ONNX Runtime.</param>
    /// <param name="refusal">Begins the error.</param>
    /// <exception cref="UniFaceException">The folder of the profile cannot be created.</exception>
    internal ProviderUse(SessionOptions options, string name, string refusal)
    {
        (this.name, this.refusal) = (name, refusal);
        try
        {
            Folder = Directory.CreateTempSubdirectory("uniface-profile-").FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException(
                $"{refusal}, or it is not known: ONNX Runtime's profile has no place in {Path.GetTempPath()}: {e.Message} Make room there, or choose Cpu", e);
        }

        options.ProfileOutputPathPrefix = Path.Combine(Folder, "p");
        options.EnableProfiling = true;
    }

    /// <summary>Adds a provider to a session's options.</summary>
    /// <param name="options">The session's options.</param>
    /// <param name="provider">The provider.</param>
    /// <param name="path">The model, for errors.</param>
    /// <returns>What to check after the first run; null for the CPU.</returns>
    /// <exception cref="UniFaceException">This program's ONNX Runtime does not have the provider, or cannot start it.</exception>
    public static ProviderUse? Append(SessionOptions options, ExecutionProvider provider, string path)
    {
        if (provider == ExecutionProvider.Cpu)
        {
            return null;
        }

        (string name, string package) = provider switch
        {
            ExecutionProvider.Cuda => ("CUDAExecutionProvider", "Microsoft.ML.OnnxRuntime.Gpu"),
            ExecutionProvider.DirectML => ("DmlExecutionProvider", "Microsoft.ML.OnnxRuntime.DirectML"),
            ExecutionProvider.CoreML => ("CoreMLExecutionProvider", "Microsoft.ML.OnnxRuntime (on macOS)"),
            ExecutionProvider.OpenVino => ("OpenVINOExecutionProvider", "Intel.ML.OnnxRuntime.OpenVino"),
            _ => throw new UniFaceException($"{(int)provider} is not an execution provider; expected {string.Join(", ", Enum.GetNames<ExecutionProvider>())}"),
        };
        string[] available = OrtEnv.Instance().GetAvailableProviders();
        if (!available.Contains(name))
        {
            throw new UniFaceException(
                $"{path}: {provider} was chosen, but the ONNX Runtime of this program has only {string.Join(", ", available)}; reference the package " +
                $"{package} in the application, or choose Cpu");
        }

        try
        {
            Add(options, provider);
        }
        catch (Exception e) when (e is OnnxRuntimeException or NotSupportedException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new UniFaceException(
                $"{path}: {provider} was chosen, but ONNX Runtime cannot start it: {e.Message.ReplaceLineEndings("\n").Split('\n', 2)[0]} Install the " +
                "driver and libraries that it needs, or choose Cpu", e);
        }

        return new ProviderUse(options, name, $"{path}: {provider} was chosen, but no operator of the network runs on it");
    }

    /// <summary>Checks the profile of the session's first run.</summary>
    /// <exception cref="UniFaceException">No operator ran on the provider, or the profile cannot be read.</exception>
    public void Check(InferenceSession session)
    {
        string profile = session.EndProfiling();
        bool used;
        try
        {
            used = new FileInfo(profile) is { Exists: true, Length: <= MaxProfileBytes }
                && File.ReadAllText(profile).Contains($"\"{name}\"", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{refusal}, or it is not known: ONNX Runtime's profile {profile} cannot be read: {e.Message}", e);
        }
        finally
        {
            Delete();
        }

        if (!used)
        {
            throw new UniFaceException($"{refusal}; use another model, or choose Cpu");
        }
    }

    /// <summary>Deletes the profile, also that of a session that was not opened or never ran.</summary>
    public void Delete()
    {
        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file of timings in the temporary folder.
        }
    }

    private static void Add(SessionOptions options, ExecutionProvider provider)
    {
        switch (provider)
        {
            case ExecutionProvider.Cuda:
                options.AppendExecutionProvider_CUDA();
                break;
            case ExecutionProvider.DirectML:
                options.EnableMemoryPattern = false; // DirectML requires it.
                options.AppendExecutionProvider_DML();
                break;
            case ExecutionProvider.CoreML:
                options.AppendExecutionProvider("CoreML", []);
                break;
            default:
                options.AppendExecutionProvider_OpenVINO();
                break;
        }
    }
}
