using System.Diagnostics;
using UniFace.Training.Kernels;
using UniFace.Training.Runtime;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Runtime;

/// <summary>Convolutions on the CPU are right on every processor, with oneDNN or without.</summary>
public sealed class OneDnnTests
{
    private const string Child = "UNIFACE_TEST_ONEDNN";

    public static TheoryData<int, int, int, int> Shapes => new()
    {
        { 3, 16, 3, 1 }, { 3, 64, 7, 1 }, { 16, 32, 3, 1 }, { 19, 38, 1, 1 }, { 19, 38, 3, 1 }, { 20, 40, 1, 1 }, { 20, 40, 3, 1 }, { 20, 40, 7, 1 },
        { 40, 40, 3, 40 }, { 64, 64, 3, 1 }, { 64, 64, 7, 1 }, { 64, 128, 7, 1 }, { 38, 38, 3, 38 },
    };

    /// <summary>The output and the gradients of a convolution are those of float64, for one image and for several, in both memory formats.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_convolution_is_that_of_float64(int channels, int outputs, int kernel, int groups)
    {
        Assert.True(OneDnn.ConvolutionsAreRight);
        long padding = kernel == 3 ? 1 : 0;
        foreach ((int images, long stride, bool last) in new[] { (1, 1L, false), (1, 2L, true), (2, 1L, true), (7, 1L, false), (7, 2L, true) })
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            using Generator random = new(1);
            Tensor x = randn(images, channels, 14, 14, generator: random), w = randn(outputs, channels / groups, kernel, kernel, generator: random);
            Tensor[] exact = Convolve(x.to(float64), w.to(float64));
            Tensor[] found = last ? Convolve(ChannelsLastView.Arrange(x), ChannelsLastView.Arrange(w)) : Convolve(x, w);
            foreach ((Tensor expected, Tensor actual) in exact.Zip(found))
            {
                double distance = ((actual.to(float64) - expected).norm() / expected.norm()).item<double>();
                Assert.True(distance < 1e-5, $"{images} images, stride {stride}, channels last {last}: off by {distance:E1}");
            }

            Tensor[] Convolve(Tensor input, Tensor weights)
            {
                (input, weights) = (input.detach().clone().requires_grad_(), weights.detach().clone().requires_grad_());
                Tensor y = nn.functional.conv2d(input, weights, strides: [stride, stride], padding: [padding, padding], groups: groups);
                (y * y).sum().backward();
                return [y.detach(), input.grad!, weights.grad!];
            }
        }
    }

    [Fact]
    public void Wrong_convolutions_are_found()
    {
        Assert.True(OneDnn.IsRight(Right));
        Assert.False(OneDnn.IsRight((x, w, padding) => Right(x, w, padding) * (x.dtype == float64 ? 1 : 1.001)));
        Assert.False(OneDnn.IsRight((x, w, padding) => x.dtype == float64 || w.shape[2] != 7 ? Right(x, w, padding) : Right(x, w, padding) * float.NaN));

        static Tensor Right(Tensor x, Tensor w, long padding) =>
            nn.functional.conv2d(x.to(float64), w.to(float64), padding: [padding, padding]).to(x.dtype);
    }

    /// <summary>oneDNN prints what it computes. It is disabled for a process, so another process does it.</summary>
    [Fact]
    public void Libtorch_convolves_without_oneDNN_when_it_is_disabled()
    {
        string method = $"{typeof(OneDnnTests).FullName}.{nameof(A_process_without_oneDNN)}";
        ProcessStartInfo start = new(System.Environment.ProcessPath!, ["-noColor", "-noLogo", "-method", method]) { RedirectStandardOutput = true };
        (start.Environment[Child], start.Environment["ONEDNN_VERBOSE"]) = ("1", "1");
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        string[] parts = output.Split("disabled\n");
        Assert.Equal(2, parts.Length);
        Assert.DoesNotContain(",convolution,", parts[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_without_oneDNN()
    {
        Assert.SkipUnless(System.Environment.GetEnvironmentVariable(Child) is not null, "Runs in a process of its own, started by another test.");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "libtorch for Windows has other names.");
        Assert.True(OneDnn.Disable());
        Console.Write("disabled\n");
        foreach (ITheoryDataRow shape in Shapes)
        {
            object?[] data = shape.GetData();
            A_convolution_is_that_of_float64((int)data[0]!, (int)data[1]!, (int)data[2]!, (int)data[3]!);
        }
    }
}
