using Microsoft.ML.OnnxRuntime;
using UniFace.TestSupport;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Onnx;

/// <summary>A model runs on the execution provider that was chosen, or is not opened.</summary>
public sealed class ExecutionProviderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_default_is_the_CPU()
    {
        string package = TestPackage.Write(Path.Combine(folder, "package"));
        using FaceRecognizer recognizer = FaceRecognizer.Open(package, new FaceRecognizerOptions { ExecutionProvider = ExecutionProvider.Cpu });
        Assert.Equal(8, recognizer.Embedder.Embed([TestImages.Noise(112, 112, 1)]).Length);
    }

    [Theory]
    [InlineData(ExecutionProvider.Cuda, "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData(ExecutionProvider.DirectML, "Microsoft.ML.OnnxRuntime.DirectML")]
    [InlineData(ExecutionProvider.OpenVino, "Intel.ML.OnnxRuntime.OpenVino")]
    [InlineData((ExecutionProvider)99, "99 is not an execution provider; expected Cpu, Cuda")]
    public void A_provider_that_this_ONNX_Runtime_does_not_have_is_refused_in_one_line(ExecutionProvider provider, string expected)
    {
        string package = TestPackage.Write(Path.Combine(folder, "package"));
        UniFaceException refused = Assert.Throws<UniFaceException>(
            () => FaceRecognizer.Open(package, new FaceRecognizerOptions { ExecutionProvider = provider }));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void A_session_that_never_ran_leaves_no_profile()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 4, 4, 16);
        using SessionOptions options = new();
        ProviderUse use = new(options, "CPUExecutionProvider", "refused");
        Assert.True(Directory.Exists(use.Folder));
        new OnnxSession(new InferenceSession(path, options), path, use).Dispose();
        Assert.False(Directory.Exists(use.Folder));
    }

    [Theory]
    [InlineData("CPUExecutionProvider", true)]
    [InlineData("CUDAExecutionProvider", false)]
    public void The_profile_of_the_first_run_says_what_the_network_ran_on(string provider, bool used)
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 4, 4, 16);
        using SessionOptions options = new();
        ProviderUse use = new(options, provider, "refused");
        using OnnxSession session = new(new InferenceSession(path, options), path, use);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(new float[48], [1, 3, 4, 4]);
        Assert.True(Directory.Exists(use.Folder));
        if (used)
        {
            session.Run("x", value, ["y"]).Dispose();
            session.Run("x", value, ["y"]).Dispose();
        }
        else
        {
            Refused.With("refused; use another model, or choose Cpu", () => session.Run("x", value, ["y"]));
        }

        Assert.False(Directory.Exists(use.Folder));
    }
}
