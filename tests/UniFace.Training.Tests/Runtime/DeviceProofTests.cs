using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Runtime;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Runtime;

/// <summary>A device or a type that is not in use is refused in one line before anything is trained.</summary>
public class DeviceProofTests
{
    [Theory]
    [InlineData("cuda")]
    [InlineData("cuda:3")]
    [InlineData("mps")]
    [InlineData("meta")] // Accepts every operation and computes nothing.
    [InlineData("gpu")]
    [InlineData("")]
    public void A_device_that_is_not_there_is_refused(string name)
    {
        string message = Assert.Throws<UniFaceException>(() => DeviceProof.Open(name)).Message;
        Assert.StartsWith($"The device {name} cannot be used (", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void The_CPU_is_proven() => Assert.Equal(DeviceType.CPU, DeviceProof.Open("cpu").type);

    /// <summary>A library that computes on the CPU what was asked of a GPU.</summary>
    [Fact]
    public void A_result_on_another_device_of_another_type_or_with_other_values_is_refused()
    {
        using Tensor result = tensor(new float[] { 5, 14 });
        using Tensor doubles = result.to(ScalarType.Float64);
        Device meta = new("meta"); // Stands for a GPU.
        using Tensor elsewhere = result.to(meta);
        DeviceProof.Require(result, CPU, ScalarType.Float32, [5, 14]);
        Refused("The device meta is not in use: the result of a small computation is on cpu; train with device cpu", result, meta, [5, 14]);
        Refused("The device cpu is not in use: the result of a small computation is on meta", elsewhere, CPU, [5, 14]);
        Refused("The device cpu computes wrong: a small computation gave Float64 [5, 14], expected Float32 [5, 14]", doubles, CPU, [5, 14]);
        Refused("gave Float32 [5, 14], expected Float32 [5, 15]", result, CPU, [5, 15]);
    }

    [Fact]
    public void Products_that_stay_in_float32_are_not_half_precision()
    {
        foreach (ScalarType type in new[] { ScalarType.BFloat16, ScalarType.Float16 })
        {
            Func<Tensor, Tensor, Tensor> plain = (x, w) => nn.functional.conv2d(x, w);
            Func<Tensor, Tensor, Tensor> other = (x, w) => Convolve(x, w, type == ScalarType.Float16 ? Precision.BFloat16 : Precision.Float16);
            Func<Tensor, Tensor, Tensor> right = (x, w) => Convolve(x, w, type == ScalarType.Float16 ? Precision.Float16 : Precision.BFloat16);
            Assert.Throws<UniFaceException>(() => DeviceProof.RequireRounding(CPU, type, plain));
            Assert.Throws<UniFaceException>(() => DeviceProof.RequireRounding(CPU, type, other));
            DeviceProof.RequireRounding(CPU, type, right);
        }
    }

    private static Tensor Convolve(Tensor x, Tensor w, Precision precision) => ConvNorm.Convolve(x, w, [1, 1], [0, 0], precision);

    private static void Refused(string expected, Tensor result, Device device, float[] values)
    {
        string message = Assert.Throws<UniFaceException>(() => DeviceProof.Require(result, device, ScalarType.Float32, values)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
