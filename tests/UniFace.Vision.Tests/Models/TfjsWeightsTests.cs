using System.Buffers.Binary;
using System.Text;
using UniFace.Vision.Models;

namespace UniFace.Vision.Tests.Models;

/// <summary>Weights of TensorFlow.js are read exactly as their manifest describes them, or refused within bounded memory.</summary>
public sealed class TfjsWeightsTests
{
    private const string Quantized = """{"dtype":"uint8","scale":0.5,"min":-3}""";

    [Fact]
    public void Floats_are_read_as_they_are_and_codes_as_min_plus_scale_times_code()
    {
        byte[] values = [.. Floats(1.5f, -2f), 0, 1, 255, .. Floats(7f)];
        string manifest = Manifest(
            Tensor("a", "[2,1]"), Tensor("b/c", "[3]", quantization: Quantized), Tensor("d", "[1]"));
        IReadOnlyDictionary<string, TfjsTensor> tensors = Read(manifest, values);
        Assert.Equal(["a", "b/c", "d"], tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([2, 1], tensors["a"].Shape);
        Assert.Equal([1.5f, -2f], tensors["a"].Values);
        Assert.Equal([-3f, -2.5f, 124.5f], tensors["b/c"].Values);
        Assert.Equal([7f], tensors["d"].Values);
    }

    [Theory]
    [InlineData("[2]", null, "offset 0, 4 bytes")] // one float short
    [InlineData("[1000000,1000000,1000000,4]", null, "does not fit")]
    [InlineData("[2147483647,2147483647]", Quantized, "does not fit")]
    [InlineData("[0]", null, "does not fit")]
    [InlineData("[-1,-1]", null, "does not fit")]
    [InlineData("[]", null, "not valid")]
    [InlineData("[1,1,1,1,1]", null, "not valid")]
    [InlineData("null", null, "not valid")]
    [InlineData("[3]", Quantized, "describes 3 bytes of values, the file has 4")]
    [InlineData("[4]", """{"dtype":"uint16","scale":1,"min":0}""", "quantization")]
    [InlineData("[4]", """{"dtype":"uint8","min":0}""", "quantization")]
    [InlineData("[4]", """{"dtype":"uint8","scale":1e300,"min":0}""", "expected a finite number")]
    [InlineData("[4]", """{"dtype":"uint8","scale":{},"min":0}""", "not a weights manifest")]
    public void A_tensor_that_the_values_do_not_hold_is_refused(string shape, string? quantization, string words)
    {
        string message = Refused(Manifest(Tensor("t", shape, quantization: quantization)), [1, 2, 3, 4]);
        Assert.StartsWith("weights: ", message, StringComparison.Ordinal);
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Names_twice_other_types_other_documents_and_values_that_are_no_numbers_are_refused()
    {
        Assert.Contains("two tensors named t", Refused(Manifest(Tensor("t", "[1]"), Tensor("t", "[1]")), Floats(1, 2)), StringComparison.Ordinal);
        Assert.Contains("dtype float32", Refused(Manifest(Tensor("t", "[1]", "int32")), Floats(1)), StringComparison.Ordinal);
        Assert.Contains("value 1 of tensor t is NaN", Refused(Manifest(Tensor("t", "[2]")), Floats(1, float.NaN)), StringComparison.Ordinal);
        foreach (string other in (string[])["", "null", "[]", "[null]", "{}", "[1]", """[{"weights":[]}]""", """[{"weights":[null],"paths":["a"]}]""",
            Manifest(Tensor("t", "[1]")).Replace("\"a.bin\"", "\"a.bin\",\"b.bin\"", StringComparison.Ordinal), new string('[', 5000)])
        {
            Assert.Contains("weights", Refused(other, Floats(1)), StringComparison.Ordinal);
        }
    }

    private static string Manifest(params string[] tensors) => $$"""[{"weights":[{{string.Join(',', tensors)}}],"paths":["a.bin"]}]""";

    private static string Tensor(string name, string shape, string type = "float32", string? quantization = null) =>
        $$"""{"name":"{{name}}","shape":{{shape}},"dtype":"{{type}}"{{(quantization is null ? "" : ",\"quantization\":" + quantization)}}}""";

    private static byte[] Floats(params float[] values)
    {
        byte[] bytes = new byte[4 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), values[i]);
        }

        return bytes;
    }

    private static IReadOnlyDictionary<string, TfjsTensor> Read(string manifest, byte[] values) =>
        TfjsWeights.Read(Encoding.UTF8.GetBytes(manifest), values, "weights");

    private static string Refused(string manifest, byte[] values) =>
        Assert.Throws<UniFaceException>(() => Read(manifest, values)).Message;
}
