using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using CsCheck;
using TorchSharp;
using UniFace.Training.Checkpoints;

namespace UniFace.Training.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-safetensors-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(torch.ScalarType.Float64)]
    [InlineData(torch.ScalarType.Float32)]
    [InlineData(torch.ScalarType.Float16)]
    [InlineData(torch.ScalarType.BFloat16)]
    [InlineData(torch.ScalarType.Int64)]
    [InlineData(torch.ScalarType.Int32)]
    [InlineData(torch.ScalarType.Int16)]
    [InlineData(torch.ScalarType.Int8)]
    [InlineData(torch.ScalarType.Byte)]
    [InlineData(torch.ScalarType.Bool)]
    public void What_was_written_is_read_back_to_the_bit(torch.ScalarType type)
    {
        using torch.Tensor source = (torch.randn([3, 5, 2]) * 10).abs().to(type);
        using torch.Tensor scalar = torch.ones([]).to(type);
        using torch.Tensor empty = torch.zeros([0, 4], dtype: type);
        string path = Path.Combine(folder, "x.safetensors");
        SafeTensorsWriter.Write(
            path,
            new Dictionary<string, torch.Tensor> { ["a"] = source, ["b"] = scalar, ["c"] = empty },
            new Dictionary<string, string> { ["k"] = "ä \"quoted\"" });

        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        Assert.Equal("ä \"quoted\"", file.Metadata["k"]);
        foreach ((string name, torch.Tensor expected) in new[] { ("a", source), ("b", scalar), ("c", empty) })
        {
            using torch.Tensor read = file.Read(name);
            Assert.Equal(expected.shape, read.shape);
            Assert.Equal(expected.dtype, read.dtype);
            Assert.Equal(expected.bytes.ToArray(), read.bytes.ToArray());
        }
    }

    [Fact]
    public void A_view_is_written_in_row_major_order()
    {
        using torch.Tensor matrix = torch.arange(6, dtype: torch.ScalarType.Float32).view(2, 3);
        using torch.Tensor turned = matrix.t();
        string path = Path.Combine(folder, "t.safetensors");
        SafeTensorsWriter.Write(path, new Dictionary<string, torch.Tensor> { ["t"] = turned }, new Dictionary<string, string>());
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        using torch.Tensor read = file.Read("t");
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], read.data<float>().ToArray());
    }

    /// <summary>The layout of the published format, read here by hand: any other reader finds the same.</summary>
    [Fact]
    public void The_file_is_laid_out_as_the_published_format_says()
    {
        using torch.Tensor bytes = torch.tensor(new byte[] { 7, 8, 9 });
        using torch.Tensor floats = torch.tensor(new[] { 1.5f, -2f });
        using MemoryStream stream = new();
        SafeTensorsWriter.Write(
            stream, new Dictionary<string, torch.Tensor> { ["a"] = bytes, ["z"] = floats }, new Dictionary<string, string> { ["format"] = "pt" });
        byte[] file = stream.ToArray();

        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        Assert.Equal(0, (8 + header) % 8);
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, header));
        Assert.Equal("pt", json.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
        JsonElement z = json.RootElement.GetProperty("z");
        Assert.Equal("F32", z.GetProperty("dtype").GetString());
        Assert.Equal(2, z.GetProperty("shape")[0].GetInt32());
        Assert.Equal([0, 8], z.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt32()));
        Assert.Equal([8, 11], json.RootElement.GetProperty("a").GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt32()));
        Assert.Equal(1.5f, BitConverter.ToSingle(file, 8 + header));
        Assert.Equal(-2f, BitConverter.ToSingle(file, 8 + header + 4));
        Assert.Equal([7, 8, 9], file[(8 + header + 8)..]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"a":1}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""")]
    [InlineData("""{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}""")]
    public void A_header_with_false_values_is_refused_in_one_line(string header)
    {
        string path = Write(header, dataBytes: 8);
        UniFaceException e = Assert.Throws<UniFaceException>(() => SafeTensorsFile.Open(path));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains("byte ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_file_is_refused()
    {
        using torch.Tensor x = torch.ones(16);
        using MemoryStream stream = new();
        SafeTensorsWriter.Write(stream, new Dictionary<string, torch.Tensor> { ["x"] = x }, new Dictionary<string, string>());
        byte[] whole = stream.ToArray();
        string path = Path.Combine(folder, "cut");
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<UniFaceException>(() => SafeTensorsFile.Open(path));
        }
    }

    [Fact]
    public void Damage_in_the_header_never_gives_more_than_a_clear_refusal()
    {
        using torch.Tensor x = torch.ones(4, 2);
        using MemoryStream stream = new();
        SafeTensorsWriter.Write(stream, new Dictionary<string, torch.Tensor> { ["x"] = x, ["y"] = x }, new Dictionary<string, string> { ["k"] = "v" });
        byte[] whole = stream.ToArray();
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(whole);
        string path = Path.Combine(folder, "damaged");
        Gen.Select(Gen.Int[0, header - 1], Gen.Byte).Sample(
            (at, value) =>
            {
                byte[] damaged = [.. whole];
                damaged[at] = value;
                File.WriteAllBytes(path, damaged);
                try
                {
                    using SafeTensorsFile file = SafeTensorsFile.Open(path);
                    foreach (string name in file.Entries.Keys)
                    {
                        file.Read(name).Dispose();
                    }
                }
                catch (UniFaceException)
                {
                }
            },
            iter: 2000,
            threads: 1);
    }

    [Fact]
    public void The_hash_of_weights_sees_names_shapes_and_every_bit()
    {
        using torch.Tensor x = torch.arange(6, dtype: torch.ScalarType.Float32);
        using torch.Tensor shaped = x.view(2, 3);
        using torch.Tensor same = x.clone();
        using torch.Tensor other = x.clone();
        other[5] = torch.tensor(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(5f) + 1));
        string Hash(string name, torch.Tensor t) => WeightsHash.Compute(new Dictionary<string, torch.Tensor> { [name] = t });
        Assert.Equal(Hash("x", x), Hash("x", same));
        Assert.NotEqual(Hash("x", x), Hash("y", x));
        Assert.NotEqual(Hash("x", x), Hash("x", shaped));
        Assert.NotEqual(Hash("x", x), Hash("x", other));
        Assert.Equal(64, Hash("x", x).Length);
    }

    private string Write(string header, int dataBytes)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        string path = Path.Combine(folder, "bad.safetensors");
        File.WriteAllBytes(path, file);
        return path;
    }
}
