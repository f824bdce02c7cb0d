using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Onnx;

/// <summary>A file of very many tiny messages is refused before memory is allocated for them.</summary>
public sealed class OnnxFileTests
{
    [Theory]
    [InlineData("0A 00")] // nodes
    [InlineData("2A 02 0A 00")] // initializers with an empty dimension list
    [InlineData("0A 04 2A 02 32 00")] // nodes with an attribute that is a graph
    [InlineData("0A 03 78 78 78")] // damaged nodes
    [InlineData("98 06 01")] // unknown fields
    [InlineData("9B 06 98 06 01 9C 06")] // groups of unknown fields
    public void A_file_of_many_tiny_messages_is_refused_in_bounded_memory(string message)
    {
        byte[] item = Convert.FromHexString(message.Replace(" ", "", StringComparison.Ordinal));
        byte[] bytes = new byte[20 << 20];
        int count = (bytes.Length - 8) / item.Length, length = count * item.Length;
        bytes[0] = 0x3A; // the graph, its length in five bytes
        for (int i = 0; i < 5; i++)
        {
            bytes[1 + i] = (byte)(((length >> (7 * i)) & 0x7F) | (i < 4 ? 0x80 : 0));
        }

        for (int i = 0; i < count; i++)
        {
            item.CopyTo(bytes, 6 + (i * item.Length));
        }

        bytes = bytes[..(6 + length)];
        long before = GC.GetAllocatedBytesForCurrentThread();
        UniFaceException error = Assert.Throws<UniFaceException>(() => OnnxFile.Parse(bytes, "many.onnx"));
        Assert.StartsWith("many.onnx: cannot load it as a model: it", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
    }
}
